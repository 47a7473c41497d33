--- larder copy: a store into another one, on any engine.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local copy = {
  name = "copy",
  summary = "Copy a store to another engine or place.",
  description = [[Copy a snapshot of a store into an empty one, which is made when it is not there, and compare
both. A copy that was broken off goes on when it is run again. The source is only read.]],
  example = { "larder copy lmdb:./data lmdb:./copied", "larder copy --overwrite --yes lmdb:./data lmdb:./copied" },
}

function copy.declare(command)
  command:argument("from", "The source.")
  command:argument("to", "The target.")
  command:option("--collection", "Only this one; can be given again."):argname "<name>":count "*"
  command:option("--transform", "A Lua file that returns function(kind, document) ... end."):argname "<file>"
  command:flag("--no-verify", "Do not compare afterwards.")
  command:flag("--overwrite", "Replace what is in the target.")
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

local function transform_of(path)
  if not path then return nil end
  local chunk, problem = loadfile(path, "t")
  if not chunk then arguments.refuse("--transform: %s", problem) end
  local transform = chunk()
  if type(transform) ~= "function" then arguments.refuse("--transform: %s: expected a function, got a %s", path, type(transform)) end
  return transform
end

--- A row for each collection, map and queue, and one for the rooms.
local function rows_of(report)
  local rows = { { kind = "rooms", count = report.rooms and report.rooms.count, hash = report.rooms and report.rooms.hash } }
  for _, kind in ipairs { "collections", "maps", "queues" } do
    local names = {}
    for name in pairs(report[kind] or {}) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
      local of = report[kind][name]
      rows[#rows + 1] = { kind = kind:sub(1, -2), name = name, count = of.count, hash = of.hash }
    end
  end
  return rows
end

local function show(report)
  grid.print({ "kind", "name", "count", "hash" }, rows_of(report), { whole = { "name" } })
  terminal.note("copied%s%s%s", report.resumed and ", going on where it was broken off" or "",
    report.verified and "; both hold the same" or "; not compared", text.left_out(report.left_out))
end

--- What there is to copy, and to where.
local function preview(source, args)
  local target <close> = arguments.look_if_there(args.to)
  local rows, there = source:stats().entries, target and target:stats().entries
  arguments.tell(args, { rows = rows, there = there }, "would copy %d rows from %s to %s, %s", rows, args.from, args.to,
    there and ("which has %d rows"):format(there) or "which would be made")
end

function copy.run(args)
  if args.from == args.to and args.to ~= "memory:" then
    arguments.refuse("%s: the source and the target are the same store", args.to)
  end
  local source <close> = arguments.look(args.from)
  if args.dry_run then return preview(source, args) end
  local transform = transform_of(args.transform)
  if args.overwrite and not arguments.sure(args, "replace what is in %s?", args.to) then return 1 end
  local target <close> = arguments.open(args.to, true)
  local report
  do
    local bar <close> = progress("copy", args.json)
    report = larder.copy(source, target, { progress = bar.call, verify = not args.no_verify, overwrite = args.overwrite or false,
      transform = transform, collections = #args.collection > 0 and args.collection or nil })
  end
  report.left_out = larder.array(report.left_out)
  if args.json then terminal.print(json.text(report)) else show(report) end
end

return copy
