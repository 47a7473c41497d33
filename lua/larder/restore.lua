--- larder.restore: a backup in the place of a store.
local core = require "larder.core"
local options_of = require "larder.copy.options"

local function check_target(to, op)
  if type(to) ~= "string" then core.fail(op, ("to: expected a path, got a %s"):format(type(to))) end
  to = to:gsub("^lmdb:", "")
  if to == "" then core.fail(op, "to: is empty") end
  return to
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
