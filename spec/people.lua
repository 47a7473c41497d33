--- People in three versions: { name = "Ada Byron" }, { first = "Ada", last = "Byron" }, and both of it in `who`.
local people = {}

local steps = {
  [2] = function(doc)
    doc.first, doc.last = doc.name:match "^(%S+) (%S+)$"
    doc.name = nil
    return doc
  end,
  [3] = function(doc) return { id = doc.id, tags = doc.tags, who = { first = doc.first, last = doc.last } } end,
}

--- The collection of a store or a transaction, as the program of this version declares it.
function people.declare(place, version, more)
  local options = { version = version, upgrade = {} }
  for to, step in pairs(steps) do options.upgrade[to] = to <= version and step or nil end
  for name, value in pairs(more or {}) do options[name] = value end
  return place:collection("people", options)
end

function people.ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

people.ada = { id = 1, who = { first = "Ada", last = "Byron" } }
people.alan = { id = 2, who = { first = "Alan", last = "Turing" } }

return people
