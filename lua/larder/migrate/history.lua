--- What was run: the ordered map "larder.migrations" of the store itself, so that a migration and its row are one transaction.
---
---   version  -> { name, state = "done" | "running", at, took, checksum, program, larder, serial, ... }
---   "paused" -> ms since 1970
---
--- A row in state "running" is of batches, with `cursor`, `seen`, `changed`, `deleted`, `batches`. `serial` rises in the order of running.
--- `baseline`: entered without running. `gone`: that its file is missing was accepted.
local core = require "larder.core"

local history = {}

local NAME = "larder.migrations"
local PAUSED = "paused"

local function is_row(row)
  return type(row) == "table" and type(row.name) == "string" and type(row.state) == "string" and math.type(row.serial) == "integer"
    and math.type(row.at) == "integer" and math.type(row.took) ~= nil
end

local function check(fine, key)
  if fine then return end
  core.fail("migrations", ("map %q: the value of %s is none of a history, for which this map is"):format(NAME, key))
end

--- INVALID where something else was written into the map.
---@param tx larder.Place
---@return table<integer, table> rows by version
---@return { serial: integer, paused: integer? } state the highest serial; since when it is paused
function history.read(tx)
  local rows, state = {}, { serial = 0 }
  for key, value in tx:map(NAME):range() do
    if math.type(key) == "integer" then
      check(is_row(value), key)
      rows[key] = value
      state.serial = math.max(state.serial, value.serial)
    elseif key == PAUSED then
      check(math.type(value) == "integer", key)
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
