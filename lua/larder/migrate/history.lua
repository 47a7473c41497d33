--- What was run: the ordered map "larder.migrations" of the store itself, so that a migration and its row are one transaction.
---
---   version  -> { name, state = "done" | "running", at, took, checksum, program, larder, serial, ... }
---   "paused" -> ms since 1970
---
--- A row in state "running" is of batches, with `cursor`, `seen`, `changed`, `deleted`, `batches`. `serial` rises in the order of running.
--- `baseline`: entered without running. `gone`: that its file is missing was accepted.
local history = {}

local NAME = "larder.migrations"
local PAUSED = "paused"

---@param tx larder.Place
---@return table<integer, table> rows by version
---@return { serial: integer, paused: integer? } state the highest serial; since when it is paused
function history.read(tx)
  local rows, state = {}, { serial = 0 }
  for key, value in tx:map(NAME):range() do
    if math.type(key) == "integer" then
      rows[key] = value
      state.serial = math.max(state.serial, value.serial)
    elseif key == PAUSED then
      state.paused = value
    end
  end
  return rows, state
end

function history.write(tx, version, row)
  tx:map(NAME):set(version, row)
end

function history.forget(tx, version)
  tx:map(NAME):delete(version)
end

--- Both tell whether that changed anything.
function history.pause(store, at)
  return store:map(NAME):set(PAUSED, at, { if_absent = true })
end

function history.resume(store)
  return store:map(NAME):delete(PAUSED)
end

--- The versions that were run, the last one first.
function history.newest_first(rows)
  local versions = {}
  for version in pairs(rows) do versions[#versions + 1] = version end
  table.sort(versions, function(a, b) return rows[a].serial > rows[b].serial end)
  return versions
end

return history
