--- Text in a terminal: how many columns it takes, cut and filled to so many, with nothing in it that a terminal would obey.
local text = {}

--- Ranges of code points that take two columns (East Asian Wide and Fullwidth, and pictures), and those that take none.
local WIDE = {
  0x1100, 0x115f, 0x231a, 0x231b, 0x23e9, 0x23ec, 0x25fd, 0x25fe, 0x2614, 0x2615, 0x2648, 0x2653, 0x26bd, 0x26be, 0x26c4, 0x26c5,
  0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x2b1b, 0x2b1c,
  0x2b50, 0x2b50, 0x2b55, 0x2b55, 0x2e80, 0x303e, 0x3041, 0x33ff, 0x3400, 0x4dbf, 0x4e00, 0x9fff, 0xa000, 0xa4cf, 0xa960, 0xa97f,
  0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18aff,
  0x1b000, 0x1b2ff, 0x1f004, 0x1f004, 0x1f0cf, 0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f200, 0x1f320, 0x1f32d, 0x1f335,
  0x1f337, 0x1f37c, 0x1f37e, 0x1f393, 0x1f3a0, 0x1f3ca, 0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4, 0x1f3f8, 0x1f43e,
  0x1f440, 0x1f440, 0x1f442, 0x1f4fc, 0x1f4ff, 0x1f53d, 0x1f54b, 0x1f54e, 0x1f550, 0x1f567, 0x1f57a, 0x1f57a, 0x1f595, 0x1f596,
  0x1f5a4, 0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6cc, 0x1f6cc, 0x1f6d0, 0x1f6d2, 0x1f6d5, 0x1f6d7, 0x1f6eb, 0x1f6ec,
  0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7eb, 0x1f90c, 0x1f93a, 0x1f93c, 0x1f945, 0x1f947, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd,
}
local NONE = {
  0x0300, 0x036f, 0x0483, 0x0489, 0x0591, 0x05bd, 0x05bf, 0x05bf, 0x05c1, 0x05c2, 0x05c4, 0x05c5, 0x0610, 0x061a, 0x064b, 0x065f,
  0x0670, 0x0670, 0x06d6, 0x06dc, 0x06df, 0x06e4, 0x0900, 0x0902, 0x093a, 0x093a, 0x093c, 0x093c, 0x0941, 0x0948, 0x094d, 0x094d,
  0x0e31, 0x0e31, 0x0e34, 0x0e3a, 0x0e47, 0x0e4e, 0x1ab0, 0x1aff, 0x1dc0, 0x1dff, 0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2064,
  0x2066, 0x206f, 0x20d0, 0x20ff, 0x302a, 0x302d, 0x3099, 0x309a, 0xfe00, 0xfe0f, 0xfe20, 0xfe2f, 0xfeff, 0xfeff, 0xe0100, 0xe01ef,
}

--- Whether the code point is in one of the ranges, by halving.
local function inside(ranges, code)
  local low, high = 1, #ranges // 2
  while low <= high do
    local middle = (low + high) // 2
    if code < ranges[2 * middle - 1] then
      high = middle - 1
    elseif code > ranges[2 * middle] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

local function columns_of(code)
  if code < 0x300 then return 1 end
  if inside(NONE, code) then return 0 end
  return inside(WIDE, code) and 2 or 1
end

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function escape(byte)
  return escapes[byte] or ("\\x%02x"):format(byte:byte())
end

--- The text in one line that can be shown: control characters (C1's and those of direction, too) and what is no UTF-8 become escapes.
---@param s string
---@return string
function text.plain(s)
  if not s:find "[\0-\31\127-\255]" then return s end
  if not utf8.len(s) then return (s:gsub("[\0-\31\127-\255]", escape)) end
  s = s:gsub("[\0-\31\127]", escape):gsub("\194[\128-\159]", function(c) return ("\\u%04x"):format(utf8.codepoint(c)) end)
  return (s:gsub("\226\128[\170-\174]", function(c) return ("\\u%04x"):format(utf8.codepoint(c)) end))
end

--- How many columns it takes; of what is no UTF-8, a column a byte.
---@param s string
---@return integer
function text.width(s)
  if not s:find "[\128-\255]" then return #s end
  if not utf8.len(s) then return #s end
  local width = 0
  for _, code in utf8.codes(s) do width = width + columns_of(code) end
  return width
end

--- At most so many columns; where something was cut off, the last is an ellipsis.
---@param s string UTF-8
---@param most integer from 1
---@return string
function text.cut(s, most)
  if text.width(s) <= most then return s end
  local width = 0
  for at, code in utf8.codes(s) do
    width = width + columns_of(code)
    if width > most - 1 then return s:sub(1, at - 1) .. "…" end
  end
  return s
end

--- With blanks, so many columns.
---@param s string
---@param width integer
---@param right? boolean blanks in front
---@return string
function text.fill(s, width, right)
  local blanks = (" "):rep(width - text.width(s))
  return right and blanks .. s or s .. blanks
end

--- 1234567 -> "1,234,567"
---@param n integer
---@return string
function text.count(n)
  local digits = ("%d"):format(n)
  local sign, rest = digits:match "^(%-?)(%d+)$"
  return sign .. rest:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
end

--- 1536 -> "1.5 KiB"
---@param bytes integer
---@return string
function text.bytes(bytes)
  local units, at = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" }, 1
  while bytes >= 1024 and at < #units do
    bytes, at = bytes / 1024, at + 1
  end
  return at == 1 and ("%d B"):format(bytes) or ("%.1f %s"):format(bytes, units[at])
end

--- ms since 1970 in UTC, "2024-03-01 17:06:41"
---@param ms number
---@return string
function text.time(ms)
  return tostring(os.date("!%Y-%m-%d %H:%M:%S", ms // 1000 | 0))
end

--- Seconds as people say them: "0.2 s", "3:07", "2:00:41"
---@param seconds number
---@return string
function text.duration(seconds)
  if seconds < 10 then return ("%.1f s"):format(seconds) end
  local whole = math.floor(seconds + 0.5)
  if whole < 60 then return ("%d s"):format(whole) end
  if whole < 3600 then return ("%d:%02d"):format(whole // 60, whole % 60) end
  return ("%d:%02d:%02d"):format(whole // 3600, whole // 60 % 60, whole % 60)
end

--- What a copy or a dump says of caches: "; left out: the caches pages, posters"; nothing where there are none.
---@param names string[]
---@return string
function text.left_out(names)
  if #names == 0 then return "" end
  local shown = {}
  for i, name in ipairs(names) do shown[i] = text.plain(name) end
  return ("; left out: the cache%s %s"):format(#names > 1 and "s" or "", table.concat(shown, ", "))
end

return text
