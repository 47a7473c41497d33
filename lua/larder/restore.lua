--- larder.restore: a backup in the place of a store.
local config = require "larder.config"
local core = require "larder.core"
local options_of = require "larder.copy.options"

local function check_target(to, op)
  if type(to) ~= "string" then core.fail(op, ("to: expected a path, got a %s"):format(type(to))) end
  if not to:find "^%a[%w+.-]+:" then
    if to == "" then core.fail(op, "to: is empty") end
    return to
  end
  local options = config.parse_url(to, op)
  if options.engine ~= "lmdb" then
    local text = 'to: expected the folder of an LMDB store, got "%s"; larder.copy copies a backup, which is one, to other engines'
    core.fail(op, text:format(to))
  end
  if not options.path then core.fail(op, "to: is empty") end
  return options.path
end

--- Put the backup at `path` in the place of the store at `to`.
return function(path, to, options, op)
  if type(path) ~= "string" then core.fail(op, ("path: expected a path, got a %s"):format(type(path))) end
  options = options_of.check(op, options, { progress = "function" })
  local time = os.date "!%Y-%m-%dT%H-%M-%SZ"
  local label, quarantine = core.restore(path, check_target(to, op), time, op, options)
  label.quarantine = quarantine ~= core.null and quarantine or nil
  return label
end
