--- larder rooms: list, look, delete, expire; MovieMatch's files in and out.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local list = { name = "list", summary = "List the rooms.", example = { "larder rooms list lmdb:./data --prefix movie" } }

function list.declare(command)
  arguments.url(command)
  command:option("--prefix", "Rooms whose names begin so."):argname "<text>"
  arguments.count(command, "--limit", "At most so many.")
  arguments.json(command)
end

function list.run(args)
  local store <close> = arguments.look(args.url)
  local rows = not args.json and grid.new({ "room", "sort", "creatorPlexUsername", "createdAt" }, { whole = { "room" } })
  local left = args.limit or math.maxinteger
  for name, room in store:rooms():each { prefix = args.prefix } do
    if left == 0 then break end
    left = left - 1
    room.room = rows and name or nil
    if rows then rows:add(room) else terminal.print(json.text(room)) end
  end
  if rows then rows:finish() end
end

local get = { name = "get", summary = "Print a room, whole.", example = { "larder rooms get lmdb:./data 'movie night'" } }

function get.declare(command)
  arguments.url(command)
  command:argument("room", "Its name.")
  command:flag("--brief", "Without ratings and progress.")
  arguments.json(command)
end

local function not_there(room)
  terminal.note("larder: there is no room %s", text.plain(room))
  return 1
end

function get.run(args)
  local store <close> = arguments.look(args.url)
  local room = store:rooms():get(args.room, { ratings = not args.brief })
  if not room then return not_there(args.room) end
  room.password = nil
  terminal.print(json.text(room, not args.json))
end

local matches = {
  name = "matches",
  summary = "Print what two or more people like.",
  example = { "larder rooms matches lmdb:./data 'movie night'" },
}

function matches.declare(command)
  arguments.url(command)
  command:argument("room", "Its name.")
  command:option("--user", "Only what this one likes."):argname "<name>"
  arguments.json(command)
end

function matches.run(args)
  local store <close> = arguments.look(args.url)
  local found = store:rooms():matches(args.room, args.user)
  if not found then return not_there(args.room) end
  if args.json then
    for _, match in ipairs(found) do terminal.print(json.text(match)) end
    return
  end
  for _, match in ipairs(found) do match.users, match.matchedAt = table.concat(match.users, ", "), text.time(match.matchedAt) end
  grid.print({ "mediaId", "matchedAt", "users" }, found, { whole = { "mediaId" } })
end

local delete = {
  name = "delete",
  summary = "Delete rooms.",
  description = "Delete rooms with their ratings, all or none. Exit code 1 when none was there.",
  example = { "larder rooms delete --yes lmdb:./data quiet" },
}

function delete.declare(command)
  arguments.url(command)
  command:argument("room", "Names."):args "+"
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

local function delete_rooms(tx, names)
  local count = 0
  for _, name in ipairs(names) do count = count + (tx:rooms():delete(name) and 1 or 0) end
  return count
end

function delete.run(args)
  local store <close> = arguments.open(args.url)
  if not args.dry_run and not arguments.sure(args, "delete %s?", text.plain(table.concat(args.room, ", "))) then return 1 end
  local count = arguments.write(store, args, function(tx) return delete_rooms(tx, args.room) end)
  arguments.tell(args, { deleted = count }, "%d rooms %sdeleted", count, args.dry_run and "would be " or "")
  return count > 0 and 0 or 1
end

local expire = {
  name = "expire",
  summary = "Delete rooms that nobody uses.",
  description = "Delete the rooms without a save or rating for so long, and print their names.",
  example = { "larder rooms expire --dry-run lmdb:./data --idle 30d", "larder rooms expire --yes lmdb:./data --idle 30d" },
}

function expire.declare(command)
  arguments.url(command)
  arguments.duration(command, "--idle", "For how long."):count(1)
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

local function expire_rooms(store, args, dry_run)
  return arguments.write(store, { dry_run = dry_run }, function(tx) return table.pack(tx:rooms():expire { idle = args.idle }) end)
end

function expire.run(args)
  local store <close> = arguments.open(args.url)
  local found = expire_rooms(store, args, true)
  if not args.dry_run and found[1] > 0 then
    if not arguments.sure(args, "delete %d rooms?", found[1]) then return 1 end
    found = expire_rooms(store, args, false)
  end
  for _, name in ipairs(args.json and {} or found[2]) do terminal.print(text.plain(name)) end
  arguments.tell(args, { deleted = found[1], rooms = larder.array(found[2]) }, "%d rooms %sdeleted", found[1],
    args.dry_run and "would be " or "")
end

local import = {
  name = "import",
  summary = "Take in a directory of MovieMatch's room files.",
  description = "Take in a directory of MovieMatch's room files, all or none.",
  example = { "larder rooms import --create lmdb:./new ./rooms", "larder rooms import --replace --yes lmdb:./data ./rooms" },
}

function import.declare(command)
  arguments.url(command)
  command:argument("directory", "Where the files are.")
  command:flag("--replace", "Rooms that are there already are replaced, not refused.")
  arguments.create(command)
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

function import.run(args)
  if not arguments.exists(args.directory) then arguments.refuse("%s cannot be read", args.directory) end
  if args.replace and not args.dry_run and not arguments.sure(args, "replace rooms in %s?", args.url) then return 1 end
  local store <close> = arguments.open(args.url, args.create, args.dry_run)
  local count = arguments.write(store, args, function(tx)
    return tx:rooms():import(args.directory, { replace = args.replace or false })
  end)
  arguments.tell(args, { imported = count }, "%d rooms %simported", count, args.dry_run and "would be " or "")
end

local export = {
  name = "export",
  summary = "Write every room as a JSON file.",
  example = { "larder rooms export lmdb:./data ./exported" },
}

function export.declare(command)
  arguments.url(command)
  command:argument("directory", "Where to; it is made when it is not there.")
  arguments.dry_run(command)
  arguments.json(command)
end

local function count_rooms(rooms)
  local count = 0
  for _ in rooms:names() do count = count + 1 end
  return count
end

function export.run(args)
  local store <close> = arguments.look(args.url)
  local rooms = store:rooms()
  local count = args.dry_run and count_rooms(rooms) or rooms:export(args.directory)
  arguments.tell(args, { exported = count }, "%d rooms %sexported", count, args.dry_run and "would be " or "")
end

return {
  name = "rooms",
  summary = "Look at rooms, delete them, move them in and out.",
  example = { "larder rooms list lmdb:./data", "larder rooms get lmdb:./data 'movie night'" },
  actions = { list, get, matches, delete, expire, import, export },
}
