--- larder verify: whether a store is sound, and what is wrong with it.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local verify = {
  name = "verify",
  summary = "Check a store, and rebuild indexes.",
  description = [[Check every row, every document against every index in both directions, and all counts. Exit
code 1 when something is wrong; all of it is named. With --repair what can be derived (indexes,
counts) is made anew.]],
  example = { "larder verify lmdb:./data", "larder verify --repair indexes --yes lmdb:./data" },
}

function verify.declare(command)
  arguments.url(command)
  command:option("--repair", "What to make anew."):choices { "indexes" }
  arguments.dry_run(command)
  arguments.yes(command)
  arguments.json(command)
end

local function show(report)
  if #report.findings > 0 then grid.print({ "kind", "where", "text" }, report.findings, { whole = { "where", "text" } }) end
  for _, mended in ipairs(report.repaired or {}) do
    terminal.note("%s: %s", text.plain(mended.what), mended.ok and "made anew" or text.plain(mended.text or "stays as it is"))
  end
  terminal.note("%s: %s rows, %s rooms, %s documents, %s entries of indexes", report.ok and "sound" or
    text.count(report.found) .. " findings", text.count(report.rows), text.count(report.rooms), text.count(report.documents),
    text.count(report.entries))
end

local function check(store, args, repair)
  local bar <close> = progress("verify", args.json)
  return store:verify { progress = bar.call, repair = repair }
end

function verify.run(args)
  local repair = not args.dry_run and args.repair or nil
  if repair and not arguments.sure(args, "rebuild the %s of %s?", repair, args.url) then return 1 end
  local store <close> = arguments.open_damaged(args.url, repair ~= nil)
  local report = check(store, args, repair)
  report.findings = larder.array(report.findings)
  if args.json then terminal.print(json.text(report)) else show(report) end
  return report.ok and 0 or 1
end

return verify
