--- The contract of an engine that leaves out what it may: engine.c supplies del_range, check and sync.
local port = require "larder_port"

require "contract.engine"("bare", function(_, options, extra)
  return port.open("memory", options, setmetatable({ bare = true }, { __index = extra }))
end)
