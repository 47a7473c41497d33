local support = require "spec.support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a cache's settings", function(given)
  it("are kept, shared by handles without any, and refused when they differ", function()
    given.store:cache("c", { max_bytes = 100, ttl = 5, policy = "s3fifo" })
    assert.are.equal(100, given.store:cache("c"):stats().max_bytes)
    given.store:cache("c", { max_bytes = 100, ttl = 5, policy = "s3fifo" })
    given.store:cache("c", { ttl = 5 })
    for _, other in ipairs { { max_bytes = 101 }, { ttl = 6 }, { policy = "lru" } } do
      raises("INVALID", { "max_bytes = 100", "s3fifo", "replace" }, given.store.cache, given.store, "c", other)
    end
  end)

  it("shrink it with replace", function()
    local cache = given.store:cache("c", { max_bytes = 100 })
    for i = 1, 10 do cache:set("k" .. i, ("x"):rep(10)) end
    assert.are.equal(30, given.store:cache("c", { max_bytes = 35, replace = true }):stats().bytes)
    same({ "k10", "k8", "k9" }, cache:keys())
    raises("TOOBIG", "35", cache.set, cache, "a", ("x"):rep(36))
    given.store:cache("c", { policy = "s3fifo", replace = true })
    support.none(cache:keys())
  end)

  it("that are none are refused", function()
    local function refused(text, options, name)
      raises("INVALID", text, given.store.cache, given.store, name or "c", options)
    end
    refused("max_bytes", nil)
    refused("max_bytes", {})
    refused("max_bytes", { max_bytes = 0 })
    refused("max_bytes", { max_bytes = -1 })
    refused("max_bytes", { max_bytes = 1.5 })
    refused("ttl", { max_bytes = 1, ttl = -1 })
    refused('"lru"', { max_bytes = 1, policy = "lri" })
    refused("lru, s3fifo", { max_bytes = 1, policy = "" })
    refused('"max_bytes"', { max_byte = 1 })
    refused("files", { max_bytes = 1, files = {} })
    refused("files", { max_bytes = 1, large = 10 })
    refused("sleep", { max_bytes = 1, sleep = 1 })
    refused("empty", { max_bytes = 1 }, "")
    raises("TOOBIG", "1023", given.store.cache, given.store, ("n"):rep(1024), { max_bytes = 1 })
    raises("INVALID", "max_bytes", given.store.cache, given.store, "c")
  end)

  it("and arguments that are none are refused, and change nothing", function()
    local cache = given.store:cache("c", { max_bytes = 100 })
    for _, method in ipairs { "get", "set", "touch", "delete" } do
      raises("INVALID", "key", cache[method], cache, nil, "1")
      raises("INVALID", "key", cache[method], cache, 1, "1")
      raises("INVALID", "empty", cache[method], cache, "", "1")
      raises("TOOBIG", "1023", cache[method], cache, ("k"):rep(1024), "1")
      raises("INVALID", "colon", cache[method], given.store, "a", "1")
    end
    for _, data in ipairs { 1, true, {}, print } do raises("INVALID", "data", cache.set, cache, "a", data) end
    raises("INVALID", "data", cache.set, cache, "a")
    raises("INVALID", '"ttl"', cache.set, cache, "a", "1", { tll = 1 })
    raises("INVALID", "extension", cache.set, cache, "a", "1", { extension = "../x" })
    raises("INVALID", "extension", cache.set, cache, "a", "1", { extension = ("x"):rep(17) })
    raises("INVALID", "option metadata: [1]: a function", cache.set, cache, "a", "1", { metadata = { print } })
    raises("INVALID", "params: f: a function", cache.key, cache, "u", { f = print })
    support.none(cache:keys())
  end)

  it("stand outside of transactions", function()
    local cache = given.store:cache("c", { max_bytes = 100 })
    cache:set("a", "1")
    given.store:update(function(tx)
      raises("MISUSE", "transactions", tx.cache, tx, "c")
      raises("MISUSE", "end it first", cache.set, cache, "b", "1")
      raises("MISUSE", "end it first", cache.fetch, cache, "b", function() return "1" end)
      assert.are.equal("1", (cache:get "a"))
    end)
    given.store:close()
    raises("CLOSED", nil, cache.get, cache, "a")
  end)
end)
