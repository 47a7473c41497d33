--- Values and paths in plain Lua, written from the rules: what order they have, where a path leads. Values are as larder gives them.
local larder = require "larder"

local values = {}

local null, array_mt = larder.null, getmetatable(larder.array {})

-- ---- values ----

function values.is_array(value)
  return type(value) == "table" and (getmetatable(value) == array_mt or #value > 0)
end

function values.is_map(value)
  return type(value) == "table" and not values.is_array(value)
end

local classes = { number = 2, string = 3, boolean = 6 }

function values.class_of(value)
  if value == null then return 1 end
  if type(value) == "table" then return values.is_array(value) and 5 or 4 end
  return classes[type(value)]
end

local function compare_numbers(a, b)
  if a ~= a or b ~= b then return a == a and 1 or b == b and -1 or 0 end
  return a < b and -1 or a > b and 1 or 0
end

local function compare_strings(a, b)
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then return a:byte(i) - b:byte(i) end
  end
  return #a - #b
end

--- The pairs of a map one behind the other, by key.
local function flat(map)
  local names, list = {}, {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names, function(a, b) return values.compare(a, b) < 0 end)
  for _, name in ipairs(names) do
    list[#list + 1] = name
    list[#list + 1] = map[name]
  end
  return list
end

local function compare_lists(a, b)
  for i = 1, math.min(#a, #b) do
    local order = values.compare(a[i], b[i])
    if order ~= 0 then return order end
  end
  return #a - #b
end

--- null < numbers < strings < maps < arrays < false < true: <0, 0, >0.
function values.compare(a, b)
  local class, other = values.class_of(a), values.class_of(b)
  if class ~= other then return class - other end
  if class == 2 then return compare_numbers(a, b) end
  if class == 3 then return compare_strings(a, b) end
  if class == 4 then return compare_lists(flat(a), flat(b)) end
  if class == 5 then return compare_lists(a, b) end
  if class == 6 then return a == b and 0 or b and -1 or 1 end
  return 0
end

function values.same(a, b) return values.compare(a, b) == 0 end

-- ---- paths ----

--- What is visited where a path leads nowhere.
local MISSING = {}
values.MISSING = MISSING

function values.parts_of(path)
  local parts = {}
  for part in path:gmatch "[^.]+" do parts[#parts + 1] = part end
  return parts
end

local walk

--- Where no element leads on, the array is missing what is sought.
local function walk_array(array, parts, at, visit)
  local number = parts[at]:find "^%d+$" and (parts[at] == "0" or parts[at]:sub(1, 1) ~= "0") and tonumber(parts[at])
  local led = false
  local picked = number and array[number + 1]
  if picked ~= nil and picked ~= false or number and picked == false then
    if at == #parts or type(picked) == "table" then
      led = true
      walk(picked, parts, at + 1, visit, at == #parts)
    end
  end
  for _, element in ipairs(array) do
    local field = values.is_map(element) and element[parts[at]]
    if values.is_map(element) and (field ~= nil or not number) then
      led = true
      if field == nil then visit(MISSING) else walk(field, parts, at + 1, visit) end
    end
  end
  if not led then visit(MISSING) end
end

function walk(value, parts, at, visit, picked)
  if at > #parts then return visit(value, picked) end
  if values.is_array(value) then return walk_array(value, parts, at, visit) end
  local field = values.is_map(value) and value[parts[at]]
  if not values.is_map(value) or field == nil then return visit(MISSING) end
  return walk(field, parts, at + 1, visit)
end

--- Call `visit` with each value that the parts lead to from a document, and whether the last of them picked it out of an array.
function values.each(document, parts, visit)
  walk(document, parts, 1, visit, #parts == 0)
end

return values
