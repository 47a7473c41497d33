--- Whether two values would be stored as the same bytes, and copies to compare with later.
---
--- Integers are no floats, -0.0 is not 0.0, NaN is NaN, an empty array is no empty map.
local same = {}

local function same_scalar(a, b)
  if a ~= a then return b ~= b end
  return a == b and math.type(a) == math.type(b) and (a ~= 0 or math.type(a) ~= "float" or 1 / a == 1 / b)
end

local function is_same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return same_scalar(a, b) end
  for key, value in next, a do
    if not is_same(value, rawget(b, key)) then return false end
  end
  for key in next, b do
    if rawget(a, key) == nil then return false end
  end
  return next(a) ~= nil or getmetatable(a) == getmetatable(b)
end

--- Of a value that was read from the store: without cycles.
function same.copy(value)
  if type(value) ~= "table" then return value end
  local copied = setmetatable({}, getmetatable(value))
  for key, field in next, value do rawset(copied, key, same.copy(field)) end
  return copied
end

return setmetatable(same, { __call = function(_, a, b) return is_same(a, b) end })
