--- A line typed at a terminal, with the keys that people know from readline: arrows, Home, End, Ctrl-A E B F K U W D L, history, Tab.
---
--- A line is a list of characters (texts), so that a key moves by one of them whatever its bytes are. Where it is longer than the terminal
--- is wide, the part around the cursor is shown.
local core = require "larder.core"
local text = require "larder.cli.text"

local STDIN, STDERR = 0, 2

local editor_methods = {}
local editor_mt = { __index = editor_methods }

-- ---- what is shown ----

local function width_of(characters, first, last)
  local width = 0
  for i = first, last do width = width + text.width(text.plain(characters[i])) end
  return width
end

--- From which character on it is shown, so that the cursor is seen; and to which.
local function window(self, room)
  local first, last = 1, #self.characters
  while width_of(self.characters, first, self.at - 1) >= room do first = first + 1 end
  while last >= self.at and width_of(self.characters, first, last) > room do last = last - 1 end
  return first, last
end

function editor_methods:draw()
  local columns = core.terminal(STDERR) or 80
  local room = math.max(1, columns - text.width(self.prompt) - 1)
  local first, last = window(self, room)
  local shown = text.plain(table.concat(self.characters, "", first, last))
  local before = text.width(self.prompt) + width_of(self.characters, first, self.at - 1)
  io.stderr:write("\r", self.prompt, shown, "\27[K\r", before > 0 and ("\27[%dC"):format(before) or "")
  io.stderr:flush()
end

-- ---- changing the line ----

local function characters_of(line)
  local characters = {}
  for character in line:gmatch(utf8.len(line) and utf8.charpattern or ".") do characters[#characters + 1] = character end
  return characters
end

function editor_methods:line()
  return table.concat(self.characters)
end

function editor_methods:set(line)
  self.characters = characters_of(line)
  self.at = #self.characters + 1
end

function editor_methods:insert(line)
  for _, character in ipairs(characters_of(line)) do
    table.insert(self.characters, self.at, character)
    self.at = self.at + 1
  end
end

--- Remove the characters from `first` up to `last`; they can be put back with Ctrl-Y.
function editor_methods:cut(first, last)
  self.killed = table.concat(self.characters, "", first, last)
  for _ = first, last do table.remove(self.characters, first) end
  self.at = first
end

local function remove_at(self, at)
  if self.characters[at] then table.remove(self.characters, at) end
end

local function word_before(self)
  local at = self.at
  while at > 1 and self.characters[at - 1]:find "^%s" do at = at - 1 end
  while at > 1 and not self.characters[at - 1]:find "^%s" do at = at - 1 end
  return at
end

--- `step` entries up or down in the history; what was being typed is below the last one.
function editor_methods:recall(step)
  local to = self.entry + step
  if to < 1 or to > #self.history + 1 then return end
  if self.entry == #self.history + 1 then self.typed = self:line() end
  self.entry = to
  self:set(self.history[to] or self.typed)
end

function editor_methods:complete_word()
  local line = table.concat(self.characters, "", 1, self.at - 1)
  local added, choices = self.complete(line)
  if added ~= "" then return self:insert(added) end
  if #choices > 1 then io.stderr:write("\r\n", table.concat(choices, "  "), "\n") end
end

-- ---- keys ----

local keys = {}

local function bind(names, action)
  for name in names:gmatch "%S+" do keys[name] = action end
end

bind("^A [H [1~ OH", function(self) self.at = 1 end)
bind("^E [F [4~ OF", function(self) self.at = #self.characters + 1 end)
bind("^B [D OD", function(self) self.at = math.max(1, self.at - 1) end)
bind("^F [C OC", function(self) self.at = math.min(#self.characters + 1, self.at + 1) end)
bind("^P [A OA", function(self) self:recall(-1) end)
bind("^N [B OB", function(self) self:recall(1) end)
bind("[3~", function(self) remove_at(self, self.at) end)
bind("^K", function(self) self:cut(self.at, #self.characters) end)
bind("^U", function(self) self:cut(1, self.at - 1) end)
bind("^W", function(self) self:cut(word_before(self), self.at - 1) end)
bind("^Y", function(self) self:insert(self.killed) end)
bind("^L", function() io.stderr:write "\27[H\27[2J" end)
bind("^I", function(self) self:complete_word() end)
bind("^H ^?", function(self)
  if self.at == 1 then return end
  self.at = self.at - 1
  remove_at(self, self.at)
end)
bind("^J ^M", function() return "line" end)
bind("^C", function() return "cancelled" end)
bind("^D", function(self)
  if #self.characters == 0 then return "end" end
  remove_at(self, self.at)
end)

--- "[A" of the bytes ESC [ A; "" of what is none of them.
local function escape_sequence(read)
  local kind = read()
  if kind ~= "[" and kind ~= "O" then return "" end
  local sequence = kind
  repeat
    local byte = read()
    sequence = sequence .. (byte or "")
  until not byte or byte:find "[%a~]"
  return sequence
end

--- The other bytes of a character of UTF-8.
local function whole_character(first, read)
  local more = first >= "\240" and 3 or first >= "\224" and 2 or first >= "\194" and 1 or 0
  local character = first
  for _ = 1, more do character = character .. (read() or "") end
  return character
end

--- The next key: its name, or text to insert; nil at the end of input.
local function next_key(read)
  local byte = read()
  if not byte then return nil end
  if byte == "\27" then return escape_sequence(read) end
  if byte == "\127" then return "^?" end
  if byte < " " then return "^" .. string.char(byte:byte() + 64) end
  return nil, whole_character(byte, read)
end

local function edit(self, read)
  while true do
    self:draw()
    local name, typed = next_key(read)
    if not name and not typed then return "end" end
    if typed then self:insert(typed) end
    local ended = name and keys[name] and keys[name](self)
    if ended then return ended end
  end
end

local function read_byte()
  return io.stdin:read(1)
end

--- Ask for a line at the terminal.
---@param prompt string
---@param history string[] the newest last
---@param complete fun(line: string): string, string[] what is to be added; and what there is to choose from
---@return string? line nil at the end of input
---@return boolean? cancelled by Ctrl-C
return function(prompt, history, complete)
  local self = setmetatable({ prompt = prompt, history = history, complete = complete, characters = {}, at = 1, entry = #history + 1,
    typed = "", killed = "" }, editor_mt)
  io.stdin:setvbuf "no"
  core.raw(STDIN, true)
  local restore <close> = setmetatable({}, { __close = function() core.raw(STDIN, false) end }) -- luacheck: ignore
  local ended = edit(self, read_byte)
  io.stderr:write "\n"
  if ended == "end" then return nil end
  return self:line(), ended == "cancelled"
end
