--- larder load: what `larder dump` has written, into a store.
local arguments = require "larder.cli.arguments"
local larder = require "larder"
local progress = require "larder.cli.progress"
local told = require("larder.cli.dump").told

local load = {
  name = "load",
  summary = "Put a dump into a store.",
  description = [[Put a dump into a store, all or nothing; the store is made when it is not there. A dump that was
cut off or edited is refused with its line; one that gzip has packed is unpacked. With --batch it fills an empty store in transactions
of so many, which a second run goes on with.]],
  example = {
    "larder load --dry-run data.jsonl lmdb:./copy",
    "larder load data.jsonl lmdb:./copy",
    "larder load --batch 1000 data.jsonl lmdb:./third",
  },
}

function load.declare(command)
  command:argument("file", "What `larder dump` has written; - for standard input."):convert(function(file)
    return file == "-" and "/dev/stdin" or file
  end)
  command:argument("url", "The store.")
  command:mutex(
    command:flag("--replace", "What is there already is replaced, not refused; queues are not."),
    arguments.count(command, "--batch", "Commit after each so many.", 1))
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

--- In a transaction that is rolled back; where there is no store yet, one in memory will do.
local function try(args, options)
  local place <close> = arguments.open(args.url, true, true)
  if args.batch and place:stats().entries > 1 then arguments.refuse("--batch: %s is not empty", args.url) end
  local tx <close> = place:begin "write"
  return larder.load(args.file, tx, { replace = options.replace, progress = options.progress })
end

function load.run(args)
  if not arguments.exists(args.file) then arguments.refuse("%s cannot be read", args.file) end
  if args.replace and not args.dry_run and not arguments.sure(args, "replace what is in %s?", args.url) then return 1 end
  local counts
  do
    local bar <close> = progress("load", args.json)
    local options = { progress = bar.call, replace = args.replace, batch = args.batch }
    if args.dry_run then
      counts = try(args, options)
    else
      local store <close> = arguments.open(args.url, true)
      counts = larder.load(args.file, store, options)
    end
  end
  arguments.tell(args, counts, "%s: %s", args.dry_run and "would be loaded" or "loaded", told(counts))
end

return load
