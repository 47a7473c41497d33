--- larder.restore: a backup in the place of a store.
local core = require "larder.core"

local function check_target(to, op)
  if type(to) ~= "string" then core.fail(op, ("to: expected a path, got a %s"):format(type(to))) end
  local engine = to:match "^(%a[%w+.-]*):"
  if engine and engine ~= "lmdb" and core.options(engine) then
    local text = "to: a backup is an LMDB store; larder.copy(%q, %q) copies it into one of engine %s"
    core.fail(op, text:format("lmdb:<backup>", to, engine))
  end
  to = to:gsub("^lmdb:", "")
  if to == "" then core.fail(op, "to: is empty") end
  return to
end

--- Put the backup at `path` in the place of the store at `to`.
return function(path, to, op)
  if type(path) ~= "string" then core.fail(op, ("path: expected a path, got a %s"):format(type(path))) end
  local label, quarantine = core.restore(path, check_target(to, op), os.date "!%Y-%m-%dT%H-%M-%SZ", op)
  label.quarantine = quarantine ~= core.null and quarantine or nil
  return label
end
