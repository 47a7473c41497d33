--- A map in plain Lua: what store:map does, written from its rules. Keys are strings, integers and arrays of them.
local keys = {}

local function parts_of(key)
  return type(key) == "table" and key or { key }
end

local function compare_parts(a, b)
  if math.type(a) ~= math.type(b) then return math.type(a) and -1 or 1 end -- integers before strings
  return a == b and 0 or a < b and -1 or 1
end

--- <0, 0, >0; a tuple that is the beginning of another comes first.
function keys.compare(a, b)
  a, b = parts_of(a), parts_of(b)
  for i = 1, math.min(#a, #b) do
    local order = compare_parts(a[i], b[i])
    if order ~= 0 then return order end
  end
  return #a - #b
end

local function has_prefix(key, prefix)
  key = parts_of(key)
  if type(prefix) == "string" then
    return type(key[1]) == "string" and key[1]:sub(1, #prefix) == prefix
  end
  for i, part in ipairs(parts_of(prefix)) do
    if key[i] ~= part then return false end
  end
  return true
end

local function is_inside(key, range)
  local from = range.from ~= nil and keys.compare(key, range.from)
  local to = range.to ~= nil and keys.compare(key, range.to)
  if from and (from < 0 or from == 0 and range.from_open) then return false end
  if to and (to > 0 or to == 0 and range.to_open) then return false end
  return range.prefix == nil or has_prefix(key, range.prefix)
end

--- `entries` is an array of { key, value } in order of keys.
local model = {}
model.__index = model

function keys.new()
  return setmetatable({ entries = {} }, model)
end

--- Entries are never changed, so that two may share them.
function keys.copy(from)
  return setmetatable({ entries = table.move(from.entries, 1, #from.entries, 1, {}) }, model)
end

function model:place(key)
  for i, entry in ipairs(self.entries) do
    local order = keys.compare(entry[1], key)
    if order >= 0 then return i, order == 0 end
  end
  return #self.entries + 1, false
end

function model:get(key)
  local i, found = self:place(key)
  if found then return self.entries[i][2] end
end

function model:set(key, value, options)
  local i, found = self:place(key)
  if found and options and options.if_absent then return false end
  if found then self.entries[i] = { key, value } else table.insert(self.entries, i, { key, value }) end
  return true
end

function model:delete(key)
  local i, found = self:place(key)
  if found then table.remove(self.entries, i) end
  return found
end

function model:increment(key, n)
  local sum = (self:get(key) or 0) + n
  self:set(key, sum)
  return sum
end

--- The entries of the range, in its order.
function model:range(range)
  local found = {}
  for _, entry in ipairs(self.entries) do
    if is_inside(entry[1], range) then table.insert(found, range.reverse and 1 or #found + 1, entry) end
  end
  return { table.unpack(found, 1, math.min(#found, range.limit or #found)) }
end

function model:delete_range(range)
  local found = self:range(range)
  for _, entry in ipairs(found) do self:delete(entry[1]) end
  return #found
end

return keys
