--- What the command says, and where: results on standard output, all else on standard error; colours only for people; questions.
local core = require "larder.core"

local terminal = {}

local STDIN, STDOUT, STDERR = 0, 1, 2

--- Columns of standard output; nil when nobody looks at it: then nothing is cut.
---@return integer?
function terminal.columns()
  return (core.terminal(STDOUT))
end

--- Columns of standard error.
---@return integer?
function terminal.error_columns()
  return (core.terminal(STDERR))
end

local function may_colour(fd)
  local refused = os.getenv "NO_COLOR"
  return core.terminal(fd) ~= nil and (refused == nil or refused == "") and os.getenv "TERM" ~= "dumb"
end

--- The text in bold where standard output shows colours (see no-color.org), else itself.
---@param text string
---@return string
function terminal.bold(text)
  return may_colour(STDOUT) and "\27[1m" .. text .. "\27[0m" or text
end

---@param text string
---@return string
function terminal.red(text)
  return may_colour(STDERR) and "\27[31m" .. text .. "\27[0m" or text
end

--- A line on standard output.
---@param line string
function terminal.print(line)
  local written, why = io.stdout:write(line, "\n")
  if not written then error("standard output: " .. why, 0) end
end

--- A line on standard error.
function terminal.note(...)
  io.stderr:write(string.format(...), "\n")
end

--- Whether somebody can be asked.
---@return boolean
function terminal.can_ask()
  return core.terminal(STDIN) ~= nil and core.terminal(STDERR) ~= nil
end

--- Ask before something is destroyed. nil: nobody is there who could answer.
---@param question string
---@return boolean?
function terminal.ask(question)
  if not terminal.can_ask() then return nil end
  io.stderr:write(question, " [y/N] ")
  local answer = io.read "l"
  return answer ~= nil and answer:lower():find "^%s*y" ~= nil
end

return terminal
