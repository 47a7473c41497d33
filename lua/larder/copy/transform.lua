--- A copy with a Lua function in between: transform(kind, document, name) gives what is stored instead, nil for nothing.
---
--- Records come as bytes that Lua hands on; what of them is a program's is decoded for the function: rooms, documents, values of
--- entries, data of jobs. Declarations and states of queues are copied as they are. The function runs inside of the target's
--- transaction, so it cannot yield.
local core = require "larder.core"

local transform = {}

local BATCH = 500
local FIELDS = 4 -- of each record in the list: kind, name, bytes, document

--- What a document is called in an error; before the function may have changed it.
local function title_of(kind, document, name)
  local id = type(document) == "table" and (document.id or document.roomName)
  local one = (type(id) == "string" or type(id) == "number") and ("%s %s"):format(kind, id) or kind
  return name and ("%s of %q"):format(one, name) or one
end

--- Put what the function gave for a record; where it cannot be stored, the error says of which.
local function put(tx, bytes, changed, title)
  local ok, problem = pcall(core.record_put, tx, bytes, changed)
  if ok then return end
  if type(problem) == "table" then problem.message = ("transform: %s: %s"):format(title, problem.message) end
  error(problem, 0)
end

--- Put the records of a list into the target, transformed.
local function put_all(tx, list, change)
  for i = 1, #list, FIELDS do
    local kind, name, bytes, document = table.unpack(list, i, i + FIELDS - 1)
    if not kind then
      core.record_put(tx, bytes)
    else
      name = name ~= "" and name or nil
      local title = title_of(kind, document, name)
      local changed = change(kind, document, name)
      if changed ~= nil then put(tx, bytes, changed, title) end
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
