--- Queries in plain Lua: which documents, in which order.
local filter = require "model_filter"
local larder = require "larder"
local values = require "model_values"

local model = {}

local null = larder.null

--- Below null.
local EMPTY = {}

local function compare_keys(a, b)
  if a == EMPTY or b == EMPTY then return a == b and 0 or a == EMPTY and -1 or 1 end
  return values.compare(a, b)
end

--- All that a document has at a path; of arrays their elements, but not of one that a number picked.
function model.values(document, path)
  local list = {}
  values.each(document, values.parts_of(path), function(value, picked)
    if value == values.MISSING then
      list[#list + 1] = { null, missing = true }
    elseif picked or not values.is_array(value) then
      list[#list + 1] = { value }
    elseif #value == 0 then
      list[#list + 1] = { EMPTY, missing = true }
    else
      for _, element in ipairs(value) do list[#list + 1] = { element } end
    end
  end)
  return list
end

local function sort_key(document, path, sign)
  local best
  for _, value in ipairs(model.values(document, path)) do
    if best == nil or sign * compare_keys(value[1], best) < 0 then best = value[1] end
  end
  return best
end

--- Whether `a` comes before `b`.
local function before(a, b, sort)
  for _, part in ipairs(sort) do
    local sign = part:sub(1, 1) == "-" and -1 or 1
    local path = sign < 0 and part:sub(2) or part
    local order = sign * compare_keys(sort_key(a, path, sign), sort_key(b, path, sign))
    if order ~= 0 then return order < 0 end
  end
  return values.compare(a.id, b.id) < 0
end

--- What find gives, without `select`.
function model.find(documents, query)
  local found, shown = {}, {}
  local sort = type(query.sort) == "string" and { query.sort } or query.sort or {}
  for _, document in pairs(documents) do
    if filter.match(document, query.where or {}) then found[#found + 1] = document end
  end
  table.sort(found, function(a, b) return before(a, b, sort) end)
  local first = (query.offset or 0) + 1
  for i = first, math.min(#found, first + (query.limit or #found) - 1) do shown[#shown + 1] = found[i] end
  return shown
end

--- The distinct values of a field, in order.
function model.distinct(documents, path, where)
  local all, distinct = {}, {}
  for _, document in pairs(documents) do
    if filter.match(document, where) then
      for _, value in ipairs(model.values(document, path)) do
        if not value.missing then all[#all + 1] = value[1] end
      end
    end
  end
  table.sort(all, function(a, b) return values.compare(a, b) < 0 end)
  for i, value in ipairs(all) do
    if i == 1 or not values.same(value, all[i - 1]) then distinct[#distinct + 1] = value end
  end
  return distinct
end

return model
