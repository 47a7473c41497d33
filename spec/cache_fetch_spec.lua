local larder = require "larder"
local forked = require "spec.forked"
local support = require "spec.support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("cache:fetch", function(given)
  local cache, now, slept
  before_each(function()
    now, slept = 1000, 0
    local store = given.open {
      clock = function() return now end,
      sleep = function(seconds)
        now, slept = now + math.ceil(seconds * 1000), slept + 1
        if coroutine.isyieldable() then coroutine.yield() end
      end,
    }
    cache = store:cache("c", { max_bytes = 100 })
  end)

  it("runs the producer once, and gives what it made from then on", function()
    local runs = 0
    local function producer(key)
      runs = runs + 1
      return "of " .. key, { type = "b", ttl = 2 }
    end
    local data, info = cache:fetch("k", producer, { type = "a", metadata = { 1 }, ttl = 1 })
    same({ "of k", "b", { 1 }, 3000 }, { data, info.type, info.metadata, info.expires_at })
    assert.are.equal("of k", (cache:fetch("k", producer)))
    assert.are.equal(1, runs)
    now = 3000
    cache:fetch("k", producer)
    assert.are.equal(2, runs)
  end)

  it("runs it once however many coroutines ask", function()
    local runs, got, waiting = 0, {}, {}
    local function producer()
      runs = runs + 1
      for _ = 1, 5 do coroutine.yield() end
      return "made"
    end
    for i = 1, 10 do
      waiting[i] = coroutine.create(function() got[i] = cache:fetch("k", producer) end)
    end
    repeat
      local left = 0
      for _, co in ipairs(waiting) do
        if coroutine.status(co) ~= "dead" then
          left = left + 1
          assert(coroutine.resume(co))
        end
      end
    until left == 0
    assert.are.equal(1, runs)
    assert.are.equal("made", table.concat(got, ",", 1, 1))
    for i = 1, 10 do assert.are.equal("made", got[i]) end
    assert.is_true(slept >= 9)
  end)

  it("lets another try when a producer has died with its lease", function()
    local dead = coroutine.create(function() cache:fetch("k", coroutine.yield, { lease = 2 }) end)
    coroutine.resume(dead)
    assert.are.equal("other", (cache:fetch("k", function() return "other" end)))
    assert.is_true(now >= 3000 and slept > 5)
    assert(coroutine.resume(dead, "late")) -- its lease is lost: what is there stays
    assert.are.equal("other", (cache:get "k"))
  end)

  it("leaves no lease behind that sweep does not find", function()
    local rows = cache:stats() and given.opened[#given.opened]:stats().entries
    local dead = coroutine.create(function() cache:fetch("k", coroutine.yield, { lease = 2 }) end)
    coroutine.resume(dead)
    cache:sweep()
    assert.are.equal(rows + 1, given.opened[#given.opened]:stats().entries)
    now = 3000
    cache:sweep()
    assert.are.equal(rows, given.opened[#given.opened]:stats().entries)
  end)

  it("raises what the producer raised, and lets the next one try", function()
    local raised = {}
    local ok, got = pcall(cache.fetch, cache, "k", function() error(raised) end)
    assert.is_false(ok)
    assert.are.equal(raised, got)
    assert.are.equal("now", (cache:fetch("k", function() return "now" end)))
    assert.are.equal(0, slept)
  end)

  it("gives the old value on failure with stale_if_error, where there is one", function()
    local function failing() error "no" end
    assert.is_false(pcall(cache.fetch, cache, "k", failing, { stale_if_error = true }))
    cache:set("k", "old", { ttl = 1 })
    now = 5000
    local data, info = cache:fetch("k", failing, { stale_if_error = true })
    same({ "old", true }, { data, info.stale })
    assert.is_false(pcall(cache.fetch, cache, "k", failing))
    assert.are.equal("new", (cache:fetch("k", function() return "new" end)))
    assert.is_nil(select(2, cache:get "k").stale)
  end)

  it("stores nothing for nil, and gives what is too large all the same", function()
    assert.is_nil(cache:fetch("k", function() end))
    same({ ("x"):rep(101), {} }, { cache:fetch("k", function() return ("x"):rep(101) end) })
    support.none(cache:keys())
    assert.are.equal("small", (cache:fetch("k", function() return "small" end)))
    assert.are.equal(0, slept)
  end)

  it("refuses what it cannot use, and leaves the key free", function()
    raises("INVALID", "producer", cache.fetch, cache, "k", "no function")
    raises("INVALID", '"ttl"', cache.fetch, cache, "k", print, { tll = 1 })
    for _, lease in ipairs { 0, -1, "1", 0 / 0, math.huge } do
      raises("INVALID", "lease", cache.fetch, cache, "k", print, { lease = lease })
    end
    raises("INVALID", "data", cache.fetch, cache, "k", function() return {} end)
    raises("INVALID", "options", cache.fetch, cache, "k", function() return "x", 1 end)
    raises("INVALID", '"ttl"', cache.fetch, cache, "k", function() return "x", { tll = 1 } end)
    raises("INVALID", "empty", cache.fetch, cache, "", function() return "x" end)
    assert.are.equal("x", (cache:fetch("k", function() return "x" end)))
    assert.are.equal(0, slept)
  end)
end)

describe("cache:fetch in several processes", function()
  after_each(support.remove_folders)

  it("runs the producer once", function()
    local folder = support.folder()
    larder.open("lmdb:" .. folder .. "/store"):cache("c", { max_bytes = 1000 })
    local port = require "larder_port"
    local children = {}
    for i = 1, 4 do
      local pid, pipe = forked.start(function(to)
        local store <close> = larder.open("lmdb:" .. folder .. "/store")
        local data = store:cache("c"):fetch("k", function()
          port.write(to, "ran ")
          port.sleep(0.05)
          return "made"
        end)
        port.write(to, data)
      end)
      children[i] = { pid, pipe }
    end
    local said = {}
    for i, child in ipairs(children) do
      said[i] = forked.drain(child[2])
      port.waitpid(child[1])
    end
    table.sort(said)
    same({ "made", "made", "made", "ran made" }, said)
  end)
end)
