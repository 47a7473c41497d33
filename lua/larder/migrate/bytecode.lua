--- What a function does, as text: its bytecode without the numbers of its lines, so that it stays the same wherever the function stands.
---
--- The layout is that of Lua 5.4's stripped chunks (ldump.c): a head, then functions within functions. What does not look like one raises.
local bytecode = {}

local HEAD = "\x1bLua\x54\0\x19\x93\r\n\x1a\n"

--- Numbers are in groups of seven bits, the highest first; the last one has bit 7.
local function skip_number(text, at)
  local number = 0
  while text:byte(at) & 0x80 == 0 do
    number, at = number << 7 | text:byte(at), at + 1
  end
  return number << 7 | text:byte(at) & 0x7f, at + 1
end

--- By the tag of a constant, the bytes behind it; the others are strings, of their size plus one.
local constant_sizes = { [0x00] = 0, [0x01] = 0, [0x11] = 0, [0x03] = 8, [0x13] = 8 }

local function skip_string(text, at)
  local size
  size, at = skip_number(text, at)
  return at + math.max(size - 1, 0)
end

local function skip_constants(text, at)
  local count
  count, at = skip_number(text, at)
  for _ = 1, count do
    local size = constant_sizes[text:byte(at)]
    at = size and at + 1 + size or skip_string(text, at + 1)
  end
  return at
end

--- As many things of so many bytes.
local function skip_list(text, at, size)
  local count
  count, at = skip_number(text, at)
  return at + count * size
end

local function skip_debug(text, at)
  for _ = 1, 4 do at = skip_list(text, at, 1) end -- stripped: each is empty
  return at
end

--- Add the parts of the function at `at` that stay; returns where it ends.
local function add_function(text, at, parts)
  at = skip_string(text, at)
  at = select(2, skip_number(text, select(2, skip_number(text, at))))
  local from = at
  at = skip_constants(text, skip_list(text, at + 3, text:byte(#HEAD + 1)))
  at = skip_list(text, at, 3)
  local count
  count, at = skip_number(text, at)
  parts[#parts + 1] = text:sub(from, at - 1)
  for _ = 1, count do at = add_function(text, at, parts) end
  return skip_debug(text, at)
end

---@param f function a Lua function; C functions raise
---@return string
function bytecode.of(f)
  local text = string.dump(f, true)
  assert(text:sub(1, #HEAD) == HEAD, "the bytecode of this Lua is not known")
  local parts = {}
  local last = add_function(text, #HEAD + 3 + 8 + 8 + 2, parts) -- sizes, two samples of numbers, how many upvalues
  assert(last == #text + 1, "the bytecode of this Lua is not known")
  return table.concat(parts, "|")
end

return bytecode
