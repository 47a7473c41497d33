local larder = require "larder"
local support = require "spec.support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a cache with files", function(given)
  local cache, files, folder
  before_each(function()
    folder = support.folder()
    files = larder.files(folder .. "/files")
    cache = given.store:cache("media", { max_bytes = 10000, files = files, large = 100 })
  end)
  after_each(function() files:close() end)

  local function large(text) return text:rep(200 // #text) end

  local function on_disk()
    local paths = {}
    for path in files:each("", { recursive = true }) do paths[#paths + 1] = path end
    return paths
  end

  it("keeps large values there, small ones in the store", function()
    cache:set("small", ("x"):rep(99))
    same({}, on_disk())
    cache:set("large", ("x"):rep(100), { extension = "png", type = "image/png" })
    local data, info = cache:get "large"
    assert.are.equal(("x"):rep(100), data)
    same({ info.path }, on_disk())
    assert.is_truthy(info.path:find "%.png$")
    same({ info.path, "image/png" }, { cache:get("large", { path = true }), info.type })
    assert.are.equal(("x"):rep(100), files:read(info.path))
    assert.are.equal(files:checksum(info.path, "sha256"), info.path:match "(%x+)%.png$")
    assert.are.equal(("x"):rep(99), (cache:get("small", { path = true })))
  end)

  it("has one file for equal contents, as long as one entry has it", function()
    cache:set("a", large "x")
    cache:set("b", large "x")
    assert.are.equal(1, #on_disk())
    assert.are.equal(400, cache:stats().bytes)
    cache:delete "a"
    assert.are.equal(large "x", (cache:get "b"))
    cache:set("b", large "y")
    assert.are.equal(1, #on_disk())
    cache:set("b", "small")
    same({}, on_disk())
  end)

  it("deletes the files of what goes, whichever way", function()
    for i = 1, 60 do
      cache:set("k" .. i, large(("%03d,"):format(i)))
      assert.is_true(#on_disk() <= 50)
    end
    assert.are.equal(50, #on_disk())
    assert.are.equal(50, cache:stats().entries)
    cache:delete "k60"
    assert.are.equal(49, #on_disk())
    assert.are.equal(1, cache:clear { prefix = "k59" })
    assert.are.equal(48, #on_disk())
    given.store:cache("media", { max_bytes = 1000, files = files, replace = true })
    assert.are.equal(5, #on_disk())
    cache:clear()
    same({}, on_disk())
  end)

  it("refuses what is larger than all of it, and writes nothing", function()
    raises("TOOBIG", "10001", cache.set, cache, "a", ("x"):rep(10001))
    same({}, on_disk())
  end)

  it("takes readers", function()
    files:write("in", ("x"):rep(9000))
    files:write("too-large", ("x"):rep(10001))
    local reader <close> = files:open_reader "in"
    cache:set("a", reader)
    assert.are.equal(("x"):rep(9000), (cache:get "a"))
    local other <close> = files:open_reader "too-large"
    raises("TOOBIG", "10001", cache.set, cache, "a", other)
    reader:close()
    raises("CLOSED", nil, cache.set, cache, "a", reader)
    assert.are.equal(("x"):rep(9000), (cache:get "a"))
  end)

  it("takes a damaged file for a miss, and into quarantine", function()
    for _, bad in ipairs { large "y", "short", large "x" .. "more", "" } do
      cache:set("a", large "x")
      cache:set("b", large "x")
      local path = select(2, cache:get "a").path
      files:write(path, bad)
      assert.is_nil(cache:get("a", { path = true }))
      assert.is_nil(cache:get "b")
      local left = on_disk()
      assert.are.equal(1, #left)
      assert.is_truthy(left[1]:find "/quarantine/")
      assert.are.equal(bad, files:read(left[1]))
      assert.are.equal(0, cache:stats().bytes)
      assert.are.equal(0, cache:sweep())
      files:delete(left[1])
    end
    assert.are.equal(4, cache:stats().quarantined)
    cache:set("a", large "x")
    assert.are.equal(large "x", (cache:get "a"))
  end)

  it("takes a missing file for a miss", function()
    cache:set("a", large "x")
    files:delete(select(2, cache:get "a").path)
    assert.is_nil(cache:get "a")
    same({ 0, 0 }, { cache:stats().bytes, cache:stats().quarantined })
    cache:set("a", large "x")
    files:delete(select(2, cache:get "a").path)
    assert.are.equal("new", (cache:fetch("a", function() return "new" end)))
  end)

  it("sweeps what belongs to nobody, and nothing else", function()
    cache:set("a", large "x")
    cache:set("b", large "y")
    local path = select(2, cache:get "a").path
    local top = path:match "^[^/]+"
    files:write(top .. "/ab/" .. ("ab"):rep(32), "orphan")
    files:write(top .. "/ab/other", "orphan")
    files:write("elsewhere", "not ours")
    support.write_file(("%s/files/%s/ab/.larder-dead"):format(folder, top), "half")
    local other = given.store:cache("other", { max_bytes = 1000, files = files, large = 1 })
    other:set("k", "of the other")
    assert.are.equal(3, cache:sweep())
    assert.are.equal(0, cache:sweep())
    assert.are.equal(0, other:sweep())
    assert.are.equal(large "x", (cache:get "a"))
    assert.are.equal(large "y", (cache:get "b"))
    assert.are.equal("of the other", (other:get "k"))
    assert.are.equal("not ours", files:read "elsewhere")
    assert.are.equal(4, #on_disk())
  end)

  it("is refused to a handle without them, and after they were closed", function()
    raises("INVALID", "files", given.store.cache, given.store, "media")
    files:close()
    raises("CLOSED", "files", cache.get, cache, "a")
    raises("CLOSED", "files", given.store.cache, given.store, "media", { files = files })
  end)

  it("is refused to a handle that was opened without them, before there were any", function()
    local store = given.open()
    local old = store:cache("c", { max_bytes = 10000 })
    old:set("small", "1")
    local new = store:cache("c", { files = files, large = 100, replace = true })
    new:set("large", large "x")
    raises("INVALID", "option files", old.get, old, "large")
    raises("INVALID", "option files", old.get, old, "large", { path = true })
    assert.are.equal("1", (old:get "small"))
    same({ 200, 1 }, { old:info("large").size, #on_disk() })
    for i = 1, 60 do old:set("k" .. i, large(("%03d,"):format(i))) end
    assert.is_nil(new:get "large")
    assert.are.equal(1, #on_disk()) -- only who has the files can delete it
    assert.are.equal(0, new:sweep())
    support.none(on_disk())
    assert.is_true(store:verify().ok)
  end)

  it("fails as the files do, and is as before", function()
    cache:set("a", large "x")
    os.execute(("rm -rf '%s/files' && touch '%s/files'"):format(folder, folder))
    local ok, raised = pcall(cache.set, cache, "b", large "y")
    assert.is_false(ok)
    assert.are.equal("IO", raised.code)
    same({ "a" }, cache:keys())
  end)
end)

describe("a small value of a cache on lmdb", function()
  after_each(support.remove_folders)

  it("that is damaged in the store is a miss, and is kept apart", function()
    local path = support.folder() .. "/store"
    local store = larder.open { engine = "lmdb", path = path }
    store:cache("c", { max_bytes = 10000 }):set("a", ("damage me"):rep(20))
    store:cache("c"):set("b", "fine")
    store:close()
    local bytes = support.read_file(path .. "/data.mdb")
    local changed, count = bytes:gsub(("damage me"):rep(20), ("damage mE"):rep(20))
    assert.is_true(count >= 1)
    support.write_file(path .. "/data.mdb", changed)
    store = larder.open { engine = "lmdb", path = path, check_on_open = 0 }
    local cache = store:cache "c"
    assert.is_nil(cache:get "a")
    same({ "b" }, cache:keys())
    same({ 1, 4 }, { cache:stats().quarantined, cache:stats().bytes })
    assert.are.equal("fine", (cache:get "b"))
    assert.are.equal("new", (cache:fetch("a", function() return "new" end)))
    store:close()
  end)
end)
