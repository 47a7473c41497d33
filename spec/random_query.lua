--- Documents and filters at random; filters often ask for what a document has.
local larder = require "larder"
local model = require "model_query"

local random = {}

local function pick(list) return list[math.random(#list)] end
random.pick = pick

-- ---- documents ----

local names = { "a", "b", "c", "0", "1" }
local scalars = { larder.null, 0, 1, 2, -1, 1.0, 1.5, -0.0, 0 / 0, math.huge, math.maxinteger, 2.0 ^ 63, "", "a", "ab", "b", "B", "1",
  "\xff", "a\0", true, false }

local function random_value(depth)
  local dice = math.random(10)
  if dice <= 5 or depth == 0 then return pick(scalars) end
  local value = dice <= 8 and larder.array {} or {}
  for _ = 1, math.random(0, 3) do
    if dice <= 8 then value[#value + 1] = random_value(depth - 1) else value[pick(names)] = random_value(depth - 1) end
  end
  return value
end

function random.document(id)
  local document = { id = id }
  for _, name in ipairs { "a", "b", "c" } do
    if math.random(4) > 1 then document[name] = random_value(3) end
  end
  return document
end

function random.id()
  local number = math.random(200)
  return pick { number, -number, "id" .. number, tostring(number), ("\0"):rep(number % 7 + 1),
    ("long"):rep(100) .. number, ("long"):rep(150) .. number }
end

-- ---- filters ----

random.paths = { "a", "a", "b", "c", "a", "b", "c", "id", "a.b", "b.a", "a.0", "a.1", "a.0.b", "a.b.c", "b.0.1", "a.a.a", "c.1.a", "id" }
local make = {}

--- Often what one of the documents has there.
local function random_operand(documents, path)
  if math.random(8) == 1 then return random_value(2) end
  local found = model.values(pick(documents), path)
  local value = found[1] and pick(found)
  return value and not value.missing and value[1] or random_value(1)
end

local function list_of(documents, path)
  local list = larder.array {}
  for i = 1, pick { 0, 1, 2, 3, 5, 8 } do list[i] = random_operand(documents, path) end
  return list
end

for _, name in ipairs { "$eq", "$ne", "$gt", "$gte", "$lt", "$lte" } do make[name] = random_operand end
for _, name in ipairs { "$in", "$nin", "$all" } do make[name] = list_of end
make["$prefix"] = function() return pick { "", "a", "\xff" } end
make["$regex"] = function() return pick { "^a", "b$", "A", "^$", "[ab]", "^a*b" } end
make["$exists"] = function() return math.random(2) == 1 end
make["$size"] = function() return math.random(0, 3) end
make["$mod"] = function() return { pick { 2, 3, -2 }, pick { 0, 1, -1 } } end
make["$type"] = function()
  local types = { "number", "int", "double", "string", "binData", "object", "array", "bool", "null" }
  return math.random(2) == 1 and pick(types) or { pick(types), pick(types) }
end

local operator_names = {}
for name in pairs(make) do operator_names[#operator_names + 1] = name end
table.sort(operator_names)

local random_operators

local function operators_list(documents, depth, path)
  local list = {}
  for i = 1, math.random(1, 3) do list[i] = random_operators(documents, depth, path) end
  return list
end

function random_operators(documents, depth, path)
  local operators = {}
  for _ = 1, pick { 1, 1, 1, 1, 1, 2 } do
    local dice = depth > 0 and math.random(12) or 12
    local name = pick(operator_names)
    if dice == 1 then
      operators["$not"] = random_operators(documents, depth - 1, path)
    elseif dice == 2 then
      operators[pick { "$or", "$or", "$and", "$nor" }] = operators_list(documents, depth - 1, path)
    elseif dice == 3 then
      operators["$elemMatch"] = random_operators(documents, depth - 1, path)
    elseif dice == 4 then
      operators["$elemMatch"] = random.filter(documents, depth - 1)
    else
      operators[name] = make[name](documents, path)
      if name == "$regex" and math.random(2) == 1 then operators["$options"] = "i" end
    end
  end
  return operators
end

function random.filter(documents, depth)
  local filter = {}
  for _ = 1, pick { 1, 1, 1, 2 } do
    if depth > 0 and math.random(5) == 1 then
      local list = {}
      for i = 1, math.random(1, 3) do list[i] = random.filter(documents, depth - 1) end
      filter[pick { "$or", "$or", "$and", "$nor" }] = list
    else
      local path = pick(random.paths)
      filter[path] = math.random(3) == 1 and random_operand(documents, path) or random_operators(documents, depth, path)
    end
  end
  return filter
end

-- ---- indexes ----

local simple = { "$gt", "$gte", "$lt", "$lte", "$exists" }

--- Of one condition, which other filters often imply.
local function simple_filter(documents)
  local path, name = pick(random.paths), pick(simple)
  return { [path] = { [name] = name == "$exists" or make[name](documents, path) } }
end

local function random_index(documents, number)
  local index = { name = "i" .. number }
  for i = 1, pick { 1, 1, 1, 2, 2, 3 } do index[i] = pick { "", "", "-" } .. pick(random.paths) end
  if math.random(5) == 1 then index.sparse = true end
  if math.random(3) == 1 then index.where = pick { random.filter, simple_filter }(documents, 1) end
  return index
end

function random.indexes(documents)
  local indexes = larder.array {}
  for i = 1, math.random(0, 4) do indexes[i] = random_index(documents, i) end
  return indexes
end

-- ---- what an index may be good for ----

local lower, upper = { "$gt", "$gte", "$eq" }, { "$lt", "$lte", "$eq" }
local there = { "$gt", "$lte", "$eq", "$in", "$prefix", "$regex", "$mod", "$type", "$size", "$exists", "$ne" }
local kin = { ["$gt"] = lower, ["$gte"] = lower, ["$lt"] = upper, ["$lte"] = upper, ["$exists"] = there }

local function near_condition(documents, path, condition)
  local name = type(condition) == "table" and next(condition)
  if not kin[name] or next(condition, name) then return condition end
  local other = pick(kin[name])
  local same = name ~= "$exists" and math.random(2) == 1
  return { [other] = same and condition[name] or make[other](documents, path) }
end

--- A filter that may imply the index's own, and one on its first field.
local function near_filter(documents, index)
  local filter = {}
  for path, condition in pairs(index.where or {}) do filter[path] = near_condition(documents, path, condition) end
  local first = index[1]:gsub("^-", "")
  if filter[first] == nil then
    local name = pick { "$eq", "$gt", "$gte", "$lte", "$in" }
    filter[first] = { [name] = make[name](documents, first) }
  end
  return filter
end

--- A query for that index: its filter, or its order with the id behind it.
function random.query_for(documents, index)
  local query = { sort = {} }
  if math.random(4) > 1 then query.where = near_filter(documents, index) end
  local turned = math.random(2) == 1
  for i = pick { 1, 1, 2 }, pick { 0, #index, #index } do
    local path, minus = index[i]:gsub("^-", "")
    query.sort[#query.sort + 1] = ((minus == 1) ~= turned and "-" or "") .. path
  end
  query.sort[#query.sort + 1] = pick { "id", "id", "-id", false } or nil
  return query
end

return random
