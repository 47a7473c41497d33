local port = require "larder_port"

require "contract.engine"("memory", function(_, options, extra)
  return port.open("memory", options, extra)
end)
