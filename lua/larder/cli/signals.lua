--- Ctrl-C, SIGTERM and SIGHUP as errors in what runs (see csrc/bind/terminal.c), in coroutines, too.
---
--- coroutine.wrap is written with coroutine.resume, which core.catch replaces by one that knows which coroutine runs.
local core = require "larder.core"

local signals = {}

signals.SIGINT = 2

local function pass(thread, ok, ...)
  if ok then return ... end
  coroutine.close(thread)
  error((...), 0)
end

function signals.catch()
  core.catch()
  local create, resume = coroutine.create, coroutine.resume
  function coroutine.wrap(f) -- luacheck: ignore 122
    local thread = create(f)
    return function(...) return pass(thread, resume(thread, ...)) end
  end
end

--- The number of the signal that came since the last call; nil when none did.
---@return integer?
function signals.caught()
  return core.caught()
end

return signals
