--- larder backup: into a folder of backups, which are rotated; list them, verify one.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local FOLDER = "The folder of the backups."

local function print_backup(entry, args)
  entry.problem = entry.problem and tostring(entry.problem)
  if args.json then return terminal.print(json.text(entry)) end
  terminal.print(text.plain(entry.name))
end

local take = {
  name = "take",
  summary = "Back up a store while others use it.",
  description = [[Back up a store while others use it; the backup has its name only when another process has
verified it. With --keep and --days older ones go, but never the last good one.]],
  example = { "larder backup take lmdb:./data ./backups --keep 3 --days 7" },
}

local function days(text_)
  local number = tonumber(text_)
  if number and number >= 0 and number < math.huge then return number end
  return nil, ("--days: expected a number from 0, got %q"):format(text_)
end

function take.declare(command)
  arguments.url(command)
  command:argument("folder", FOLDER)
  arguments.count(command, "--keep", "Keep so many.", 1)
  command:option("--days", "Keep those that are younger; 0.5 is 12 hours."):argname "<n>":convert(days)
  arguments.dry_run(command)
  arguments.json(command)
end

function take.run(args)
  local store <close> = arguments.look(args.url)
  local backups = larder.backups(args.folder, { keep = args.keep, days = args.days })
  if args.dry_run then
    local rows = store:stats().entries
    return arguments.tell(args, { rows = rows }, "would back up %d rows into %s", rows, args.folder)
  end
  local entry
  do
    local bar <close> = progress("backup", args.json)
    entry = backups:take(store, { progress = bar.call })
  end
  print_backup(entry, args)
  if args.json then return end
  if entry.identical then terminal.note "holds the same as the one before, whose place it takes" end
  for _, name in ipairs(entry.dropped or {}) do terminal.note("dropped %s", text.plain(name)) end
end

local list = { name = "list", summary = "List backups, the newest first.", example = { "larder backup list ./backups" } }

function list.declare(command)
  command:argument("folder", FOLDER)
  arguments.json(command)
end

local function row_of(entry)
  return { name = entry.name, taken = entry.at and text.time(entry.at), size = entry.bytes and text.bytes(entry.bytes), rooms = entry.rooms,
    documents = entry.documents, problem = entry.problem and tostring(entry.problem) }
end

function list.run(args)
  local rows = {}
  if not arguments.exists(args.folder) then
    terminal.note("larder: there is no folder %s", text.plain(args.folder))
    return 1
  end
  for i, entry in ipairs(larder.backups(args.folder):list()) do
    if args.json then print_backup(entry, args) end
    rows[i] = row_of(entry)
  end
  if args.json then return end
  grid.print({ "name", "taken", "size", "rooms", "documents", "problem" }, rows,
    { whole = { "name" }, optional = { "problem" } })
end

local verify = { name = "verify", summary = "Check a backup; exit code 1 when it is damaged.",
  example = { "larder backup verify ./backups latest" } }

function verify.declare(command)
  command:argument("folder", FOLDER)
  command:argument("name", "Its name, or latest.")
  arguments.json(command)
end

function verify.run(args)
  local entry
  do
    local bar <close> = progress("verify", args.json)
    entry = larder.backups(args.folder):verify(args.name, { progress = bar.call })
  end
  if args.json then
    print_backup(entry, args)
  else
    terminal.note("%s: %s", text.plain(entry.name), entry.ok and "sound" or text.plain(tostring(entry.problem or "damaged")))
  end
  return entry.ok and 0 or 1
end

return {
  name = "backup",
  summary = "Take, list and verify backups.",
  example = { "larder backup take lmdb:./data ./backups --keep 3 --days 7", "larder backup list ./backups" },
  actions = { take, list, verify },
}
