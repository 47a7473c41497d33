--- The contract of an engine: what engine.h promises, run for every engine through the port.
---
---   require "contract.engine" ("name", function(folder, options, extra) return port.open(...) end)
---
--- `open` opens an engine in `folder`; a second open with one folder finds what was committed, where the engine is durable.
local busted = require "busted"
local given = require "contract.given"

local parts = {
  "contract.rows", "contract.ranges", "contract.cursors", "contract.writing_cursors", "contract.transactions", "contract.nested",
  "contract.snapshots", "contract.handles", "contract.opening",
}

return function(name, open)
  busted.describe(("engine %s #%s"):format(name, name), function()
    given.each(open)
    for _, part in ipairs(parts) do require(part)() end
  end)
end
