--- The lines that were typed at the prompt, kept in a file from session to session: one line an entry, the newest last.
---
--- Each line is appended when it is entered, so that a session that is killed, or runs beside another one, loses nothing.
local MOST = 1000

local history_methods = {}
local history_mt = { __index = history_methods }

--- LARDER_HISTORY, or the place that the system has for such files; "" keeps none.
local function default_path()
  local given = os.getenv "LARDER_HISTORY"
  if given then return given ~= "" and given or nil end
  local home = os.getenv "HOME"
  return home and home ~= "" and home .. "/.larder_history" or nil
end

local function read(path)
  local lines = {}
  local file = path and io.open(path, "r")
  if not file then return lines end
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  return lines
end

local function last_of(lines, most)
  return table.move(lines, math.max(1, #lines - most + 1), #lines, 1, {})
end

--- A file that has grown to twice what is kept is written anew, beside, and put in place.
local function shorten(path, lines)
  local beside = path .. ".new"
  local file = io.open(beside, "w")
  if not file then return end
  local written = file:write(table.concat(lines, "\n"), "\n")
  if file:close() and written then os.rename(beside, path) else os.remove(beside) end
end

--- One that is the same as the last one is not kept twice; nor is one that begins with a blank.
---@param line string
function history_methods:add(line)
  if line:find "^%s" or line == "" or line == self.lines[#self.lines] then return end
  self.lines[#self.lines + 1] = line
  local file = self.path and io.open(self.path, "a")
  if not file then return end
  file:write(line, "\n")
  file:close()
end

---@param path? string
return function(path)
  path = path or default_path()
  local lines = read(path)
  local kept = last_of(lines, MOST)
  if #lines > 2 * MOST then shorten(path, kept) end
  return setmetatable({ path = path, lines = kept }, history_mt)
end
