--- larder delete: documents or keys of a map, by id, by filter, or all.
local arguments = require "larder.cli.arguments"
local text = require "larder.cli.text"

local delete = {
  name = "delete",
  summary = "Delete documents.",
  description = [[Delete documents by their ids or by a filter, or a whole collection. Asks before, and is all or
nothing. Exit code 1 when nothing was there.]],
  example = {
    [[larder delete --dry-run lmdb:./data plans --where '{"status": "done"}']],
    "larder delete --yes lmdb:./data plans 8 9",
    "larder delete --yes --map lmdb:./data seen ada",
    "larder delete --yes lmdb:./data plans --all",
  },
}

function delete.declare(command)
  arguments.url(command)
  command:argument("name", "The collection."):args(1)
  command:argument("id", "As for `larder get`."):args "*"
  command:option("--where", "Delete what this filter matches."):argname "<json>"
  command:flag("--all", "Delete the collection or the map.")
  command:flag("--map", "The name is that of a map.")
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

local function by_ids(from, ids)
  local count = 0
  for _, id in ipairs(ids) do
    if from:delete(arguments.key(id)) then count = count + 1 end
  end
  return count
end

--- In a transaction; how many were deleted.
local function work(tx, args)
  local from = args.map and tx:map(args.name) or tx:collection(args.name)
  if #args.id > 0 then return by_ids(from, args.id) end
  if args.where then return from:delete_where(arguments.object(args.where, "--where")) end
  if args.map then return from:delete_range {} end
  local count = from:count()
  tx:drop(args.name)
  return count
end

local function check(args)
  local ways = (#args.id > 0 and 1 or 0) + (args.where and 1 or 0) + (args.all and 1 or 0)
  if ways ~= 1 then arguments.refuse "expected ids, or --where, or --all" end
  if args.map and args.where then arguments.refuse "--where: a map has no filters" end
end

--- How many there are to be deleted, without deleting.
local function preview(store, args)
  local tx <close> = store:begin "write"
  return work(tx, args)
end

function delete.run(args)
  check(args)
  local store <close> = arguments.open(args.url)
  local what = args.map and "keys" or "documents"
  local count = preview(store, args)
  if args.dry_run then
    arguments.tell(args, { deleted = count }, "%s: %d %s would be deleted", text.plain(args.name), count, what)
    return count > 0 and 0 or 1
  end
  if count > 0 and not arguments.sure(args, "delete %d %s of %s?", count, what, text.plain(args.name)) then return 1 end
  count = store:update(function(tx) return work(tx, args) end)
  arguments.tell(args, { deleted = count }, "%s: %d %s deleted", text.plain(args.name), count, what)
  return count > 0 and 0 or 1
end

return delete
