local support = require "spec.support"
local traces = require "spec.traces"

local hits, zipf, loop = traces.hits, traces.zipf, traces.loop
local on_each_engine, same = support.on_each_engine, support.same

on_each_engine("a full cache", function(given)
  local function fill(cache, first, last)
    for i = first, last do cache:set("k" .. i, ("x"):rep(10)) end
  end

  it("of policy lru lets go what was not used for longest", function()
    local cache = given.store:cache("c", { max_bytes = 50 })
    fill(cache, 1, 5)
    cache:get "k2"
    cache:get "k1"
    cache:touch "k3"
    fill(cache, 6, 7)
    same({ "k1", "k2", "k3", "k6", "k7" }, cache:keys())
    fill(cache, 8, 8)
    same({ "k1", "k3", "k6", "k7", "k8" }, cache:keys())
    cache:set("k1", ("y"):rep(10))
    fill(cache, 9, 11)
    same({ "k1", "k10", "k11", "k8", "k9" }, cache:keys())
    assert.are.equal(6, cache:stats().evictions)
  end)

  it("lets go what has expired before all others", function()
    local now = 1000
    local cache = given.open({ clock = function() return now end }):cache("c", { max_bytes = 50 })
    fill(cache, 1, 3)
    cache:set("k4", ("x"):rep(10), { ttl = 1 })
    cache:set("k5", ("x"):rep(10), { ttl = 9 })
    now = 2000
    fill(cache, 6, 6)
    same({ "k1", "k2", "k3", "k5", "k6" }, cache:keys())
    fill(cache, 7, 7)
    same({ "k2", "k3", "k5", "k6", "k7" }, cache:keys())
  end)

  it("of thousands lets at most a thousandth more go than it must", function()
    local cache = given.store:cache("c", { max_bytes = 40000 })
    fill(cache, 1, 4000)
    assert.are.equal(40000, cache:stats().bytes)
    for i = 4001, 4200 do
      fill(cache, i, i)
      local bytes = cache:stats().bytes
      assert.is_true(bytes <= 40000 and bytes > 40000 - 40000 // 1024 - 10, bytes)
    end
    assert.is_nil(cache:get "k200")
    assert.are.equal(("x"):rep(10), (cache:get "k210"))
  end)

  it("is never over its limit, with values of any size and random calls", function()
    support.at_random(function()
      for _, policy in ipairs { "lru", "s3fifo" } do
        local cache = given.store:cache("c" .. policy, { max_bytes = 1000, policy = policy })
        local model = {}
        for _ = 1, 1500 do
          local key, size = "k" .. math.random(40), math.random(0, 200)
          local what = math.random(10)
          if what <= 6 then
            local data = string.char(math.random(65, 90)):rep(size)
            cache:set(key, data, { ttl = math.random(3) == 1 and 1000 or nil })
            model[key] = data
            assert.are.equal(data, (cache:get(key)))
          elseif what <= 8 then
            local data = cache:get(key)
            assert.is_true(data == nil or data == model[key])
          elseif what == 9 then
            cache:delete(key)
            model[key] = nil
          else
            cache:touch(key)
          end
          local bytes, stats = 0, cache:stats()
          local keys = cache:keys()
          for _, one in ipairs(keys) do bytes = bytes + math.max(#model[one], 1) end
          same({ bytes, #keys }, { stats.bytes, stats.entries })
          assert.is_true(bytes <= 1000)
        end
        assert.is_true(cache:stats().evictions > 100)
        assert.is_true(given.store:verify().ok)
        cache:clear()
        assert.are.equal(0, cache:stats().bytes)
      end
    end)
  end)
end)

describe("the hits of a cache", function()
  it("are more with s3fifo on a Zipf 1.0 trace", function()
    for seed = 1, 3 do
      local lru = hits("lru", zipf(1000, seed), 10000)
      local s3fifo = hits("s3fifo", zipf(1000, seed), 10000)
      assert.is_true(s3fifo > lru + 0.02, ("s3fifo %.3f, lru %.3f"):format(s3fifo, lru))
    end
  end)

  it("are more with s3fifo on a loop that is longer than the cache", function()
    assert.are.equal(0, hits("lru", loop(120), 5000))
    assert.is_true(hits("s3fifo", loop(120), 5000) > 0.1)
  end)
end)
