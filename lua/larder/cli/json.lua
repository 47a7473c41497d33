--- JSON for programs and people: as the core writes it (Extended JSON, lossless), with names in order: the same document is the same text.
local core = require "larder.core"

local json = {}

local array_mt = debug.getmetatable(core.array {})

--- Where a map has none but plain names it is written here, in order; any other one is the core's.
local function sorted_names(value)
  local names = {}
  for name in next, value do
    if type(name) ~= "string" or name:sub(1, 1) == "$" or name:find "\0" or not utf8.len(name) then return nil end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Whether the table would be written as an array.
---@param value table
---@return boolean
function json.is_array(value)
  if next(value) == nil then return debug.getmetatable(value) == array_mt end
  local count = 0
  for _ in next, value do count = count + 1 end
  for i = 1, count do
    if rawget(value, i) == nil then return false end
  end
  return true
end

local write

local function join(parts, open, close, indent)
  if #parts == 0 then return open .. close end
  if not indent then return open .. table.concat(parts, ",") .. close end
  local inner = "\n" .. indent .. "  "
  return open .. inner .. table.concat(parts, "," .. inner) .. "\n" .. indent .. close
end

local function write_map(value, names, indent, deeper)
  local parts = {}
  for i, name in ipairs(names) do
    parts[i] = core.to_json(name) .. (indent and ": " or ":") .. write(rawget(value, name), deeper)
  end
  return join(parts, "{", "}", indent)
end

function write(value, indent)
  if type(value) ~= "table" then return core.to_json(value) end
  local deeper = indent and indent .. "  "
  if json.is_array(value) then
    local parts = {}
    for i = 1, #value do parts[i] = write(rawget(value, i), deeper) end
    return join(parts, "[", "]", indent)
  end
  local names = sorted_names(value)
  return names and write_map(value, names, indent, deeper) or core.to_json(value)
end

--- One line, or with `pretty` a line a field.
---@param value any
---@param pretty? boolean
---@return string
function json.text(value, pretty)
  core.to_json(value) -- refuses what cannot be written, cycles before all
  return write(value, pretty and "" or nil)
end

--- Raises INVALID with line and column.
---@param s string
---@return any
function json.value(s)
  return core.from_json(s)
end

return json
