--- What `larder migrate` says of migrations besides tables: reports for programs, and what a baseline would enter.
local arguments = require "larder.cli.arguments"
local json = require "larder.cli.json"
local larder = require "larder"
local terminal = require "larder.cli.terminal"

local migrations = {}

--- A report is a list with a field, so it becomes an object.
---@param report table
---@param dry_run? boolean
function migrations.print_json(report, dry_run)
  local list = larder.array {}
  for i, entry in ipairs(report) do
    entry.messages, entry.changes = larder.array(entry.messages), entry.changes and larder.array(entry.changes)
    list[i] = entry
  end
  terminal.print(json.text { migrations = list, paused = report.paused, dry_run = dry_run })
end

--- A report of what would be entered. The library has no dry run of it, for nothing is run.
---@param of larder.Migrations
---@param version integer
---@return table
function migrations.preview_baseline(of, version)
  local report = {}
  for _, one in ipairs(of:status()) do
    if one.at then arguments.refuse "baseline is for a store without migrations, and some were run" end
    if one.version <= version then
      report[#report + 1] = { direction = "baseline", version = one.version, name = one.name, took = 0, messages = {} }
    end
  end
  return report
end

return migrations
