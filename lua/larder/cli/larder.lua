#!/usr/bin/env lua5.4
-- The command `larder`, as it is installed. What is raised outside of a command is Ctrl-C while it starts, or a part that is missing.
local ok, code = pcall(function() return require "larder.cli".main(arg) end)
if not ok then
  local signal = type(code) == "table" and code.signal or tostring(code):find "interrupted!$" and 2
  io.stderr:write(signal and "interrupted\n" or ("larder: %s\n"):format(code))
  code = signal and 128 + signal or 3
end
os.exit(code, true)
