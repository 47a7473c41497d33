--- larder recover: what can still be read of a damaged store, into a new one.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local recover = {
  name = "recover",
  summary = "Save what can be read of a damaged store.",
  description = [[Save every readable row of a damaged LMDB store, which nothing may have open, into a new store.
The damaged one is only read. Prints what was lost; exit code 1 when something was.]],
  example = { "larder recover ./data lmdb:./saved", "larder recover --dry-run ./data" },
}

function recover.declare(command)
  command:argument("path", "The folder of the damaged store, or its data.mdb.")
  command:argument("url", "A store that is empty, or not there yet."):args "?"
  arguments.dry_run(command)
  arguments.json(command)
end

local function show(report)
  if #report.lost > 0 then grid.print({ "where", "text" }, report.lost, { whole = { "where", "text" } }) end
  if #report.verify.findings > 0 then grid.print({ "kind", "where", "text" }, report.verify.findings, { whole = { "where", "text" } }) end
  terminal.note("%s rows, %s rooms, %s documents saved; %s lost; the new store is %s", text.count(report.rows), text.count(report.rooms),
    text.count(report.documents), text.count(report.losses), report.ok and "sound" or "not sound")
  terminal.note("%s", report.note)
end

function recover.run(args)
  local to = args.dry_run and "memory:" or args.url
  if not to then arguments.refuse "expected the store to save to, or --dry-run" end
  local report
  do
    local bar <close> = progress("recover", args.json)
    report = larder.recover(args.path, to, { progress = bar.call })
  end
  if args.json then terminal.print(json.text(report)) else show(report) end
  return report.ok and report.losses == 0 and 0 or 1
end

return recover
