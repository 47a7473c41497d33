local larder = require "larder"
local support = require "spec.support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a cache that is given a reader", function(given)
  local cache, files, uploads, folder
  local LONG <const> = 200000 -- several chunks

  local function numbered(size)
    local parts = {}
    for i = 1, size // 8 + 1 do parts[i] = ("%07d\n"):format(i) end
    return table.concat(parts):sub(1, size)
  end

  before_each(function()
    folder = support.folder()
    files = larder.files(folder .. "/files")
    uploads = larder.files(folder .. "/uploads")
    cache = given.store:cache("media", { max_bytes = 3 * LONG, files = files, large = 1000 })
  end)
  after_each(function()
    files:close()
    uploads:close()
  end)

  local function on_disk()
    local paths = {}
    for path in files:each("", { recursive = true }) do paths[#paths + 1] = path end
    return paths
  end

  it("keeps what it reads, in a file that is named by its hash", function()
    uploads:write("up", numbered(LONG))
    local reader <close> = uploads:open_reader "up"
    cache:set("a", reader, { type = "text", extension = "txt", metadata = { 1 } })
    local data, info = cache:get "a"
    assert.are.equal(numbered(LONG), data)
    same({ LONG, "text", { 1 } }, { info.size, info.type, info.metadata })
    assert.are.equal(uploads:checksum "up", info.path:match "/(%x+)%.txt$")
    same({ info.path }, on_disk())
    assert.is_nil(reader:read(1))
    assert.are.equal(0, cache:sweep())
  end)

  it("takes it from where it stands, a large rest or a small one", function()
    uploads:write("up", numbered(LONG))
    local reader <close> = uploads:open_reader "up"
    reader:seek(7)
    cache:set("a", reader)
    reader:seek(LONG - 999)
    cache:set("b", reader)
    cache:set("c", reader)
    assert.are.equal(numbered(LONG):sub(8), (cache:get "a"))
    assert.are.equal(numbered(LONG):sub(-999), (cache:get "b"))
    assert.are.equal("", (cache:get "c"))
    same({ select(2, cache:get "a").path }, on_disk())
  end)

  it("has one file for equal contents, whichever way they came", function()
    files:write("in/up", numbered(LONG))
    cache:set("a", numbered(LONG))
    cache:set("b", files:open_reader "in/up")
    cache:set("c", files:open_reader(select(2, cache:get "a").path))
    assert.are.equal(2, #on_disk())
    cache:delete "a"
    cache:delete "b"
    assert.are.equal(numbered(LONG), (cache:get "c"))
    cache:delete "c"
    same({ "in/up" }, on_disk())
  end)

  it("refuses what is larger than all of it, also where that shows at the end only, and evicts nothing", function()
    cache:set("old", numbered(LONG))
    local before = on_disk()
    uploads:write("up", ("x"):rep(3 * LONG))
    local reader <close> = uploads:open_reader "up"
    local grown = assert(io.open(folder .. "/uploads/up", "a"))
    grown:write "y"
    grown:close()
    raises("TOOBIG", { "600001", "600000" }, cache.set, cache, "a", reader)
    raises("TOOBIG", { "600001", "600000" }, cache.set, cache, "a", uploads:open_reader "up")
    same({ "old" }, cache:keys())
    same(before, on_disk())
    assert.are.equal(0, cache:sweep())
  end)

  it("says what is wrong with a reader", function()
    uploads:write("up", numbered(LONG))
    local reader = uploads:open_reader "up"
    raises("INVALID", { "data", "reader of larder.files", "function" }, cache.set, cache, "a", reader.read)
    raises("INVALID", { "data", "userdata" }, cache.set, cache, "a", io.stdin)
    reader:close()
    raises("CLOSED", "reader", cache.set, cache, "a", reader)
    raises("CLOSED", "reader", cache.fetch, cache, "a", function() return reader end)
    reader = uploads:open_reader "up"
    uploads:close()
    raises("CLOSED", "files", cache.set, cache, "a", reader)
    same({}, on_disk())
    assert.are.equal("free", (cache:fetch("a", function() return "free" end)))
  end)

  it("keeps what a producer's reader reads", function()
    uploads:write("up", numbered(LONG))
    local path, info = cache:fetch("a", function()
      return uploads:open_reader "up", { type = "text" }
    end, { path = true })
    same({ info.path, "text", LONG }, { path, info.type, info.size })
    assert.are.equal(numbered(LONG), files:read(path))
  end)

  it("survives a clock that closes the reader, or the files", function()
    uploads:write("up", numbered(LONG))
    local closing
    local store = given.open { clock = function()
      if closing then closing:close() end
      return 1
    end }
    local other = store:cache("other", { max_bytes = 3 * LONG, files = files, large = 1000 })
    for _ = 1, 2 do
      closing = uploads:open_reader "up"
      other:set("a", closing, { ttl = 5 })
    end
    assert.are.equal(numbered(LONG), (other:get "a"))
    closing = files
    local ok, raised = pcall(other.set, other, "b", ("x"):rep(LONG))
    assert.is_true(ok or raised.code == "CLOSED", tostring(raised))
    raises("CLOSED", "files", other.get, other, "a")
  end)
end)
