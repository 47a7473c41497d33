--- larder dump: a store as one text, JSON Lines.
local arguments = require "larder.cli.arguments"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local dump = {
  name = "dump",
  summary = "Write a store as text.",
  description = [[Write a snapshot of a store as JSON Lines with a checksum at the end, to a file, or to standard
output, where pipes can pack it. A file is there only when it is whole, and packed by gzip when its
name ends in .gz.]],
  example = { "larder dump lmdb:./data data.jsonl", "larder dump lmdb:./data | gzip > data.jsonl.gz" },
}

function dump.declare(command)
  arguments.url(command)
  command:argument("file", "Where to; standard output without, or with -."):args "?":action(function(args, name, file)
    if file ~= "-" then args[name] = file end
  end)
  command:option("--collection", "Only this one; can be given again."):argname "<name>":count "*"
  command:flag("--overwrite", "Replace a file that is there.")
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

--- "12 rooms, 3 documents" of what was counted.
local function told(counts)
  local parts = {}
  for _, name in ipairs { "rooms", "documents", "entries", "jobs" } do
    if (counts[name] or 0) > 0 then parts[#parts + 1] = text.count(counts[name]) .. " " .. name end
  end
  return #parts > 0 and table.concat(parts, ", ") or "nothing"
end

local function nowhere() end

function dump.run(args)
  local there = args.file and arguments.exists(args.file) or false
  local overwrite = args.overwrite and there and not args.dry_run
  if overwrite and not arguments.sure(args, "replace %s?", args.file) then return 1 end
  local store <close> = arguments.look(args.url)
  local counts
  do
    local bar <close> = progress("dump", args.json)
    counts = store:dump(args.dry_run and nowhere or args.file or io.stdout, { progress = bar.call, overwrite = overwrite,
      collections = #args.collection > 0 and args.collection or nil })
  end
  counts.left_out = larder.array(counts.left_out)
  if args.json and not args.file and not args.dry_run then return terminal.note("%s", json.text(counts)) end
  arguments.tell(args, counts, "%s: %s%s%s", args.dry_run and "would be dumped" or "dumped", told(counts),
    text.left_out(counts.left_out), args.dry_run and there and ("; %s is there already"):format(args.file) or "")
end

dump.told = told

return dump
