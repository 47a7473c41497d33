--- Work in a child process of its own, for specs, and what it says.
local port = require "larder_port"

local forked = {}

--- `f(pipe)` in a child, which ends with it. An error becomes "! message" in the pipe.
---@return integer pid
---@return integer pipe to read what it writes
function forked.start(f)
  local from, to = port.pipe()
  local pid = port.fork()
  if pid == 0 then
    port.close(from)
    local ok, said = pcall(f, to)
    if not ok then port.write(to, "! " .. tostring(said)) end
    port._exit(0)
  end
  port.close(to)
  return pid, from
end

--- All that comes out of a pipe; closes it.
function forked.drain(pipe)
  local parts = {}
  repeat
    parts[#parts + 1] = port.read(pipe)
  until parts[#parts] == ""
  port.close(pipe)
  return table.concat(parts)
end

--- What f returned in a child, as text.
function forked.said(f)
  local pid, pipe = forked.start(function(to) port.write(to, tostring(f())) end)
  local said = forked.drain(pipe)
  port.waitpid(pid)
  return said
end

return forked
