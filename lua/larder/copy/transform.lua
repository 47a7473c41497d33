--- A copy with a Lua function in between: transform(kind, document, name) gives what is stored instead, nil for nothing.
---
--- Records come as bytes that Lua hands on; what of them is a program's is decoded for the function: rooms, documents, values of
--- entries, data of jobs.
local core = require "larder.core"

local transform = {}

local BATCH = 500
local FIELDS = 4 -- of each record in the list: kind, name, bytes, document

--- Put the records of a list into the target, transformed.
local function put_all(tx, list, change)
  for i = 1, #list, FIELDS do
    local kind, name, bytes, document = table.unpack(list, i, i + FIELDS - 1)
    if not kind then
      core.record_put(tx, bytes)
    else
      local changed = change(kind, document, name ~= "" and name or nil)
      if changed ~= nil then core.record_put(tx, bytes, changed) end
    end
  end
  return #list // FIELDS
end

--- A step as core.copy_some is one.
function transform.step(change)
  return function(from, to, names, most)
    local place, rows
    to:update(function(tx)
      local list
      list, place = core.copy_read(from, tx, names, most > 0 and most or BATCH)
      rows = core.copy_note(from, tx, place, put_all(tx, list, change))
    end)
    return place == nil, rows
  end
end

return transform
