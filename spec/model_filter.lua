--- Filters in plain Lua, written from the rules in csrc/filter.h and the design.
local larder = require "larder"
local values = require "model_values"

local filter = {}

local null, MISSING = larder.null, values.MISSING
local class_of, is_array, is_map, same = values.class_of, values.is_array, values.is_map, values.same

--- Whether a value at the path passes, or, unless `whole`, an element of one that is an array.
local function any(document, path, test, whole)
  local found = false
  values.each(document, path, function(value, picked)
    found = found or test(value)
    if whole or picked or value == MISSING or not is_array(value) then return end
    for _, element in ipairs(value) do found = found or test(element) end
  end)
  return found
end

-- ---- operators ----

local operators, match_operators = {}, nil

local function has_operators(value)
  if not is_map(value) then return false end
  for name in pairs(value) do
    if type(name) == "string" and name:sub(1, 1) == "$" then return true end
  end
  return false
end

local function equals(operand)
  return function(value)
    if value == MISSING then return operand == null end
    return same(value, operand)
  end
end

local function range(holds)
  return function(document, path, operand)
    return any(document, path, function(value)
      if value == MISSING then return operand == null and holds(0) end
      if class_of(value) ~= class_of(operand) then return false end
      if value ~= value or operand ~= operand then return value ~= value and operand ~= operand and holds(0) end
      return holds(values.compare(value, operand))
    end)
  end
end

operators["$gt"] = range(function(order) return order > 0 end)
operators["$gte"] = range(function(order) return order >= 0 end)
operators["$lt"] = range(function(order) return order < 0 end)
operators["$lte"] = range(function(order) return order <= 0 end)

operators["$eq"] = function(document, path, operand) return any(document, path, equals(operand)) end
operators["$ne"] = function(document, path, operand) return not operators["$eq"](document, path, operand) end
operators["$in"] = function(document, path, list)
  for _, operand in ipairs(list) do
    if any(document, path, equals(operand)) then return true end
  end
  return false
end
operators["$nin"] = function(document, path, list) return not operators["$in"](document, path, list) end
operators["$not"] = function(document, path, operand) return not match_operators(document, path, operand) end

operators["$prefix"] = function(document, path, text)
  return any(document, path, function(value) return type(value) == "string" and value:sub(1, #text) == text end)
end

--- Only patterns that mean the same in Lua.
operators["$regex"] = function(document, path, pattern, all)
  return any(document, path, function(value)
    if type(value) ~= "string" or not utf8.len(value) then return false end
    if all["$options"] == "i" then value, pattern = value:lower(), pattern:lower() end
    return value:find(pattern) ~= nil
  end)
end
operators["$options"] = function() return true end

operators["$exists"] = function(document, path, there)
  return any(document, path, function(value) return value ~= MISSING end, true) == there
end

operators["$size"] = function(document, path, size)
  return any(document, path, function(value) return is_array(value) and #value == size end, true)
end

local function type_names(value)
  if type(value) == "number" then return { number = true, [math.type(value) == "integer" and "int" or "double"] = true } end
  if type(value) == "string" then return { [utf8.len(value) and "string" or "binData"] = true } end
  return { [({ "null", nil, nil, "object", "array", "bool" })[class_of(value)]] = true }
end

operators["$type"] = function(document, path, names)
  return any(document, path, function(value)
    if value == MISSING then return false end
    for _, name in ipairs(type(names) == "table" and names or { names }) do
      if type_names(value)[name] then return true end
    end
    return false
  end)
end

operators["$mod"] = function(document, path, operand)
  return any(document, path, function(value)
    local whole = type(value) == "number" and math.tointeger(value >= 0 and math.floor(value) or math.ceil(value))
    if not whole then return false end
    return math.fmod(whole, operand[1]) == operand[2]
  end)
end

--- Whether a map of conditions is for fields, and not for the value itself.
local function is_of_fields(conditions)
  for name, operand in pairs(conditions) do
    if operators[name] then
      if name ~= "$and" and name ~= "$or" and name ~= "$nor" then return false end
      if not is_of_fields(operand[1]) then return false end
    end
  end
  return true
end

operators["$elemMatch"] = function(document, path, conditions)
  local of_fields = is_of_fields(conditions)
  return any(document, path, function(value)
    if not is_array(value) then return false end
    for _, element in ipairs(value) do
      if of_fields and is_map(element) and filter.match(element, conditions) then return true end
      if not of_fields and match_operators(element, {}, conditions) then return true end
    end
    return false
  end, true)
end

operators["$all"] = function(document, path, list)
  for _, operand in ipairs(list) do
    local one = has_operators(operand) and match_operators(document, path, operand)
    if not (one or not has_operators(operand) and operators["$eq"](document, path, operand)) then return false end
  end
  return #list > 0
end

--- Of filters (no path) or, behind a field, of maps of operators.
local function branch(document, path, conditions)
  if path then return match_operators(document, path, conditions) end
  return filter.match(document, conditions)
end

operators["$or"] = function(document, path, list)
  for _, conditions in ipairs(list) do
    if branch(document, path, conditions) then return true end
  end
  return false
end
operators["$nor"] = function(document, path, list) return not operators["$or"](document, path, list) end
operators["$and"] = function(document, path, list)
  for _, conditions in ipairs(list) do
    if not branch(document, path, conditions) then return false end
  end
  return true
end

function match_operators(document, path, all)
  for name, operand in pairs(all) do
    if not operators[name](document, path, operand, all) then return false end
  end
  return true
end

function filter.match(document, conditions)
  for name, operand in pairs(conditions) do
    local holds
    if name:sub(1, 1) == "$" then
      holds = operators[name](document, nil, operand)
    elseif has_operators(operand) then
      holds = match_operators(document, values.parts_of(name), operand)
    else
      holds = operators["$eq"](document, values.parts_of(name), operand)
    end
    if not holds then return false end
  end
  return true
end

return filter
