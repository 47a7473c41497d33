local port = require "larder_port"

require "contract.engine"("lmdb", function(folder, options, extra)
  options.path, options.durability = folder .. "/store", options.durability or "none"
  return port.open("lmdb", options, extra)
end)
