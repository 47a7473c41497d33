-- files.lua -- the rows about files: replacing one durably, listing many. As in rows.lua; raw is plain.c.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"
local plain = require "larder_bench_plain"

local files = {}

local NAMES = 100000
local CONTENT = ("x"):rep(4096)

--- A write against the bare calls.
function files.replace()
  local ours, bare = data.folder(), data.folder()
  local provider = larder.files(ours)
  return {
    clock = measure.wall,
    turns = 20,
    rows = {
      {
        title = "replace a file of 4 KiB, durable",
        contestants = {
          larder = { least = 100, run = function(n) for _ = 1, n do provider:write("file", CONTENT) end end },
          raw = { least = 100, run = function(n) plain.replace(bare, CONTENT, n) end },
        },
        target = { side = "raw", limit = 1.3 },
      },
    },
    close = function() provider:close() end,
  }
end

--- Every name with its size, in order.
function files.list()
  local folder = data.folder()
  local provider = larder.files{ path = folder, durability = "none" }
  assert(os.execute(("cd '%s' && seq -f %%.0f-name %d | xargs touch"):format(folder, NAMES)))
  assert(plain.names(folder, 1) == NAMES)
  return {
    clock = measure.cpu,
    rows = {
      {
        title = "list 100,000 files",
        contestants = {
          larder = { run = function(n) for _ = 1, n do for _ in provider:each() do end end end },
          raw = { run = function(n) plain.names(folder, n) end },
        },
      },
    },
    close = function() provider:close() end,
  }
end

return files
