local port = require "larder_port"

require "contract.engine"("file", function(folder, options, extra)
  options.path, options.durability = folder .. "/store", options.durability or "none"
  return port.open("file", options, extra)
end)
