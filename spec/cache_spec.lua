local larder = require "larder"
local support = require "spec.support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a cache", function(given)
  local cache, now
  before_each(function()
    now = 1000
    given.store = given.open { clock = function() return now end }
    cache = given.store:cache("pages", { max_bytes = 100 })
  end)

  it("gives back the bytes, and what is known of them", function()
    for _, data in ipairs { "text", "", "\0\xff\0", ("x"):rep(100) } do
      cache:set("a", data, { type = "text/html", metadata = { status = 200, list = { 1, 2 } }, ttl = 5 })
      local got, info = cache:get "a"
      same(data, got)
      same({ size = #data, created_at = 1000, expires_at = 6000, uses = 0, type = "text/html",
        metadata = { status = 200, list = { 1, 2 } } }, info)
    end
  end)

  it("is nil where nothing is", function()
    assert.is_nil(cache:get "a")
    assert.is_false(cache:delete "a")
    assert.is_false(cache:touch "a")
    support.none(cache:keys())
    assert.are.equal(0, cache:purge_expired())
    assert.are.equal(0, cache:clear())
    assert.are.equal(0, cache:sweep())
  end)

  it("replaces, and counts each byte once", function()
    cache:set("a", ("x"):rep(60))
    cache:set("a", ("y"):rep(70))
    assert.are.equal(70, cache:stats().bytes)
    assert.are.equal(1, cache:stats().entries)
    cache:set("a", "")
    assert.are.equal(1, cache:stats().bytes)
    assert.is_true(cache:delete "a")
    same({ entries = 0, bytes = 0, max_bytes = 100, hits = 0, misses = 0, evictions = 0, quarantined = 0 }, cache:stats())
  end)

  it("refuses what is larger than all of it, and evicts nothing for it", function()
    cache:set("a", ("x"):rep(50))
    cache:set("b", ("x"):rep(50))
    raises("TOOBIG", { "101", "100" }, cache.set, cache, "a", ("x"):rep(101))
    same({ "a", "b" }, cache:keys())
    cache:set("c", ("x"):rep(100))
    same({ "c" }, cache:keys())
  end)

  it("forgets what has expired", function()
    cache:set("a", "1", { ttl = 1 })
    cache:set("b", "1", { ttl = 2.5 })
    cache:set("c", "1")
    now = 1999
    assert.is_not_nil(cache:get "a")
    now = 2000
    assert.is_nil(cache:get "a")
    assert.is_not_nil(cache:get "b")
    assert.are.equal(1, cache:purge_expired())
    same({ "b", "c" }, cache:keys())
    now = 1e12
    assert.is_not_nil(cache:get "c")
    assert.are.equal(1, cache:purge_expired())
    cache:set("d", "1", { ttl = 0 })
    assert.is_nil(cache:get "d")
  end)

  it("renews with touch", function()
    cache:set("a", "1", { ttl = 1 })
    now = 1500
    assert.is_true(cache:touch("a", { ttl = 1 }))
    now = 2400
    assert.is_not_nil(cache:get "a")
    assert.are.equal(0, cache:purge_expired())
    now = 2500
    assert.is_false(cache:touch "a")
    assert.are.equal(1, cache:purge_expired())
    assert.are.equal(0, cache:stats().bytes)
  end)

  it("has a ttl of its own for what is set without one", function()
    local short = given.store:cache("short", { max_bytes = 100, ttl = 1 })
    short:set("a", "1")
    short:set("b", "1", { ttl = 10 })
    now = 2000
    assert.is_nil(short:get "a")
    assert.is_not_nil(short:get "b")
  end)

  it("clears all, one type, one prefix", function()
    for i = 1, 9 do cache:set((i % 2 == 0 and "x" or "y") .. i, "1", { type = i % 3 == 0 and "a" or "b" }) end
    assert.are.equal(3, cache:clear { type = "a" })
    assert.are.equal(0, cache:clear { type = "a" })
    assert.are.equal(3, cache:clear { prefix = "x" })
    same({ "y1", "y5", "y7" }, cache:keys())
    cache:set("untyped", "1")
    same({ "untyped" }, cache:keys { type = "" })
    assert.are.equal(1, cache:clear { type = "" })
    assert.are.equal(3, cache:clear())
    assert.are.equal(0, cache:stats().bytes)
  end)

  it("lists keys in order, of any bytes", function()
    local names = { "\0", "\0\0", "\0\xff", "a", "a\0", "a\0b", "ab", "b", ("n"):rep(1022), ("n"):rep(1023), "\xff" }
    for i = #names, 1, -1 do cache:set(names[i], names[i]:sub(1, 9)) end
    same(names, cache:keys())
    same({ "a", "a\0", "a\0b", "ab" }, cache:keys { prefix = "a" })
    same({ "a\0b", "ab" }, cache:keys { prefix = "a", after = "a\0" })
    same({ "ab", "b" }, cache:keys { after = "a\0b", limit = 2 })
    same(names, cache:keys { after = "" })
    for _, name in ipairs(names) do assert.are.equal(name:sub(1, 9), (cache:get(name))) end
    assert.are.equal(#names, cache:clear())
  end)

  it("counts hits, misses and uses", function()
    cache:set("a", "1")
    for _ = 1, 5 do cache:get "a" end
    cache:get "b"
    local stats = cache:stats()
    same({ 5, 1 }, { stats.hits, stats.misses })
    cache:set("b", "1")
    assert.are.equal(5, select(2, cache:get "a").uses)
    assert.are.equal(6, cache:stats().hits)
  end)

  it("keeps when a value was used last, and tells what is known without using it", function()
    now = 1000
    local timed = given.open({ clock = function() return now end }):cache("c", { max_bytes = 100 })
    timed:set("a", "12", { ttl = 9, type = "t", metadata = { 1 } })
    same({ size = 2, created_at = 1000, used_at = 1000, expires_at = 10000, uses = 0, type = "t", metadata = { 1 } }, timed:info "a")
    now = 3000
    timed:get "a"
    for _ = 1, 3 do timed:info "a" end
    timed:set("b", "1")
    same({ 3000, 1 }, { timed:info("a").used_at, timed:info("a").uses })
    same({ 1, 0 }, { timed:stats().hits, timed:stats().misses })
    now = 10000
    assert.is_nil(timed:info "a")
    assert.is_nil(timed:info "none")
  end)

  it("writes uses without being asked to when there are many, never in a get before", function()
    local large = given.store:cache("large", { max_bytes = 1e9 // 1 | 0 })
    for i = 1, 1030 do large:set("k" .. i, "1") end
    for i = 1, 1023 do large:get("k" .. i) end
    assert.are.equal(0, select(2, large:get "k1").uses)
    large:get "k1024"
    assert.are.equal(1, select(2, large:get "k2").uses)
    assert.are.equal(2, select(2, large:get "k1").uses)
  end)

  it("makes keys that do not depend on the order of params", function()
    local key = cache:key("http://a/", { width = 100, height = 50, deep = { b = 1, a = 2 } })
    assert.is_truthy(key:find("^%x+$") and #key == 64)
    for _ = 1, 20 do
      local params = {}
      for _, name in ipairs { "height", "deep", "width" } do params[name .. math.random(9)] = 1 end
      for name in pairs(params) do params[name] = nil end
      params.deep, params.height, params.width = { a = 2, b = 1 }, 50, 100
      assert.are.equal(key, cache:key("http://a/", params))
    end
    local others = { cache:key "http://a/", cache:key("http://a/", {}), cache:key("http://a/", { width = 100 }),
      cache:key("http://b/", { width = 100, height = 50, deep = { b = 1, a = 2 } }), cache:key "",
      cache:key("http://a/", { width = "100", height = 50, deep = { b = 1, a = 2 } }) }
    local seen = { [key] = true }
    for _, other in ipairs(others) do
      assert.is_nil(seen[other])
      seen[other] = true
    end
  end)

  it("bears a collection of garbage at each allocation", function()
    support.with_constant_collection(function()
      for i = 1, 30 do
        cache:set("k" .. i, ("x"):rep(i), { type = "a", metadata = { i } })
        local data, info = cache:get("k" .. i)
        same({ i, i }, { #data, info.metadata[1] })
        given.store:cache("other" .. i % 3, { max_bytes = 10 }):set("k", "1")
        cache:keys()
      end
    end)
    assert.is_true(cache:stats().bytes <= 100)
  end)

  it("is apart from others", function()
    local names = { "a", "a\0", "b", ("n"):rep(1023) }
    for i, name in ipairs(names) do given.store:cache(name, { max_bytes = 10 }):set("k", tostring(i)) end
    for i, name in ipairs(names) do assert.are.equal(tostring(i), (given.store:cache(name):get "k")) end
    assert.are.equal(1, given.store:cache("a"):clear())
    assert.are.equal("2", (given.store:cache("a\0"):get "k"))
  end)
end)

describe("a cache on lmdb", function()
  after_each(support.remove_folders)

  it("is there when the store is opened again, with the uses of a handle that was collected", function()
    local path = support.folder() .. "/store"
    local store = larder.open { engine = "lmdb", path = path }
    local cache = store:cache("c", { max_bytes = 100 })
    cache:set("a", "1")
    cache:get "a"
    cache = nil -- luacheck: ignore
    collectgarbage()
    store:close()
    store = larder.open { engine = "lmdb", path = path }
    local again = store:cache "c"
    local data, info = again:get "a"
    same({ "1", 1 }, { data, info.uses })
    store:close() -- `again` is still there
    store = larder.open { engine = "lmdb", path = path }
    assert.are.equal(2, store:cache("c"):info("a").uses)
    store:close()
    assert.is_truthy(tostring(again):find "closed")
  end)
end)
