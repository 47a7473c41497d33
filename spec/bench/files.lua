-- files.lua -- the rows about files: replacing one durably, listing many. As in rows.lua; raw is plain.c.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"
local plain = require "larder_bench_plain"

local files = {}

local NAMES = 100000
local LOOK_EVERY = 1000
local MOST_MEMORY = 10 << 20
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

local function walk(provider, look)
  local count = 0
  for _ in provider:each() do
    count = count + 1
    if count % LOOK_EVERY == 0 then look() end
  end
  assert(count == NAMES)
end

--- Every name with its size, in order.
function files.list()
  local folder = data.folder()
  local provider = larder.files{ path = folder, durability = "none" }
  assert(os.execute(("cd '%s' && seq -f %%.0f-name %d | xargs touch"):format(folder, NAMES)))
  local bytes = measure.growth(function(look) walk(provider, look) end)
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
    memory = { title = "  memory it took", bytes = { larder = bytes }, limit = MOST_MEMORY },
    close = function() provider:close() end,
  }
end

return files
