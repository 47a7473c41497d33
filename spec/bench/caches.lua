-- caches.lua -- the rows about caches: a hit beside a collection's get, one eviction from many beside one from few; how often
-- two policies hit. As in rows.lua.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"
local traces = require "spec.traces"

local caches = {}

local FEW, MANY = 1000, os.getenv "LARGE" and 1000000 or 100000
local KILOBYTE = ("0123456789abcdef"):rep(64)

local function open()
  return larder.open { engine = "lmdb", path = data.folder(), durability = "none" }
end

local function row(title, op, target)
  local function run(n)
    for i = 1, n do op(i) end
  end
  return { title = title, contestants = { larder = { run = run } }, target = target }
end

-- ---- a hit ----

function caches.get()
  local store = open()
  local documents, cache = store:collection "values", store:cache("values", { max_bytes = 1 << 30 })
  local names = {}
  for i = 1, FEW do
    names[i] = data.name(i)
    documents:put { id = names[i], value = KILOBYTE }
    cache:set(names[i], KILOBYTE)
  end
  return {
    clock = measure.cpu,
    rows = {
      row("get 1 KB of a collection", function(i) assert(documents:get(names[i % FEW + 1]).value) end),
      row("get 1 KB of a cache", function(i) assert(cache:get(names[i % FEW + 1])) end, { row = 1, limit = 1.5 }),
    },
    close = function() store:close() end,
  }
end

-- ---- an eviction ----

-- A full cache of `count` entries: each set from now on evicts one.
local function full(policy, count)
  local store = open()
  local cache = store:cache("c", { max_bytes = count * 10, policy = policy })
  for i = 1, count do cache:set("k" .. i, "0123456789") end
  local at = count
  return function()
    at = at + 1
    cache:set("k" .. at, "0123456789")
  end, store, cache
end

function caches.evict()
  local few, one = full("lru", FEW)
  local many, other, cache = full("lru", MANY)
  return {
    clock = measure.cpu,
    rows = {
      row("set that evicts one of 1,000 entries", few),
      row(("set that evicts one of %d entries"):format(MANY), many, { row = 1, limit = 2 }),
    },
    close = function()
      assert(cache:stats().evictions > 0 and cache:stats().entries > 0.99 * MANY)
      one:close()
      other:close()
    end,
  }
end

-- ---- hits ----

-- How often it hits is in the title; the time is that of 1,000 requests.
function caches.hits()
  local rows = {}
  for _, trace in ipairs { { "Zipf 1.0", traces.zipf, 1000 }, { "a loop", traces.loop, 120 } } do
    for _, policy in ipairs { "lru", "s3fifo" } do
      local ratio = traces.hits(policy, trace[2](trace[3], 1), 50000)
      rows[#rows + 1] = row(("%s, %s: %.1f %% hits"):format(trace[1], policy, ratio * 100), function()
        traces.hits(policy, trace[2](trace[3], 1), 1000)
      end)
    end
  end
  return { clock = measure.cpu, rows = rows }
end

return caches
