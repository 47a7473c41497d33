--- larder restore: a backup becomes the store at a path.
local arguments = require "larder.cli.arguments"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local restore = {
  name = "restore",
  summary = "Put a backup in the place of a store.",
  description = [[Verify a backup and put it in the place of a store, which nothing may have open. What it
displaces is kept beside, in quarantine.]],
  example = { "larder restore --dry-run ./backups latest ./data", "larder restore --yes ./backups latest ./data" },
}

function restore.declare(command)
  command:argument("folder", "The folder of the backups.")
  command:argument("name", "The name of the backup, or latest.")
  command:argument("path", "The folder of the store: ./data")
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

function restore.run(args)
  local path = args.path:gsub("^lmdb:", "")
  local backups = larder.backups(args.folder)
  if args.dry_run then
    local entry = backups:verify(args.name)
    arguments.tell(args, { name = entry.name, ok = entry.ok, path = path }, "%s is %s; it would be put at %s",
      text.plain(entry.name), entry.ok and "sound" or "damaged", path)
    return entry.ok and 0 or 1
  end
  if not arguments.sure(args, "put the backup %s in the place of %s?", args.name, path) then return 1 end
  local restored
  do
    local bar <close> = progress("restore", args.json)
    restored = backups:restore(args.name, path, { progress = bar.call })
  end
  if args.json then return terminal.print(json.text(restored)) end
  terminal.note("restored %s", text.plain(restored.name or args.name))
  if restored.quarantine then terminal.note("what was there is now %s", text.plain(restored.quarantine)) end
end

return restore
