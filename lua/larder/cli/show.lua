--- Values as Lua writes them, for the prompt of `larder shell`: fields in order, short tables in one line, long ones with a line each.
local core = require "larder.core"
local text = require "larder.cli.text"

local DEPTH, WIDTH, MOST = 6, 72, 200

local words = {}
local reserved = "and break do else elseif end false for function goto if in local nil not or repeat return then true until while"
for word in reserved:gmatch "%a+" do words[word] = true end

local function quoted(s)
  local escaped = s:gsub('[\\"]', "\\%0")
  return '"' .. text.plain(escaped) .. '"'
end

local function scalar(value)
  if value == core.null then return "null" end
  if type(value) == "string" then return quoted(value) end
  if math.type(value) == "float" then
    if value ~= value or value == math.huge or value == -math.huge then return tostring(value) end
    local short = ("%.15g"):format(value)
    if tonumber(short) ~= value then short = ("%.17g"):format(value) end
    return short:find "[.e]" and short or short .. ".0"
  end
  return (text.plain(tostring(value)))
end

local ranks = { number = 1, string = 2 }

local function before(a, b)
  local x, y = ranks[type(a)] or 3, ranks[type(b)] or 3
  if x ~= y then return x < y end
  if x < 3 then return a < b end
  return tostring(a) < tostring(b)
end

local function key_of(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not words[key] then return key end
  return "[" .. scalar(key) .. "]"
end

local write

local function parts_of(value, indent, depth)
  local parts, keys, length = {}, {}, 0
  while rawget(value, length + 1) ~= nil do
    length = length + 1
    if length <= MOST then parts[length] = write(value[length], indent, depth) end
  end
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  for i = 1, math.min(#keys, MOST) do
    parts[#parts + 1] = key_of(keys[i]) .. " = " .. write(rawget(value, keys[i]), indent, depth)
  end
  local left = math.max(0, length - MOST) + math.max(0, #keys - MOST)
  if left > 0 then parts[#parts + 1] = ("... %d more"):format(left) end
  return parts
end

function write(value, indent, depth)
  if type(value) ~= "table" then return scalar(value) end
  local mt = debug.getmetatable(value)
  if mt and mt.__tostring then return (text.plain(tostring(value))) end
  if depth == 0 then return "{ ... }" end
  local inner = indent .. "  "
  local parts = parts_of(value, inner, depth - 1)
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #line + #indent <= WIDTH and not line:find "\n" then return line end
  return "{\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "}"
end

---@param value any
---@return string
return function(value)
  return write(value, "", DEPTH)
end
