-- Caches in what moves stores: copies and dumps leave them out and say so; backups have them.
local larder = require "larder"
local cli = require "cli"
local stocked = require "stocked"
local support = require "support"

local on_each_engine, same = support.on_each_engine, support.same

local function fill(store, files)
  stocked.fill(store)
  local pages = store:cache("pages", { max_bytes = 1000 })
  for i = 1, 9 do pages:set("k" .. i, ("x"):rep(100)) end
  local media = store:cache("media", { max_bytes = 10000, files = files, large = 100, policy = "s3fifo" })
  media:set("m", ("m"):rep(200))
  return pages, media
end

on_each_engine("a store with caches", function(given)
  local files, folder, pages, media
  before_each(function()
    folder = support.folder()
    files = larder.files { path = folder .. "/files", durability = "none" }
    pages, media = fill(given.store, files)
  end)
  after_each(function() files:close() end)

  it("tells their names", function()
    same({ "media", "pages" }, given.store:caches())
    given.store:view(function(tx) same({ "media", "pages" }, tx:caches()) end)
    support.none(given.open():caches())
  end)

  it("is copied without them, and the report says which", function()
    local to = given.open()
    local report = larder.copy(given.store, to)
    same({ "media", "pages" }, report.left_out)
    assert.is_true(report.verified)
    support.none(report.other)
    support.none(to:caches())
    stocked.holds(stocked.text(given.store), to)
    assert.is_true(to:verify().ok)
    assert.are.equal(0, media:sweep())
    assert.are.equal(("m"):rep(200), (media:get "m"))
    same({ "media", "pages" }, larder.copy(given.store, given.open(), { transform = function(_, document) return document end }).left_out)
    support.none(larder.copy(given.store, given.open(), { collections = { "plans" } }).left_out)
  end)

  it("is dumped without them, and the counts say which", function()
    local text = {}
    local counts = given.store:dump(function(piece) text[#text + 1] = piece end)
    same({ "media", "pages" }, counts.left_out)
    assert.are.equal(0, counts.rows - select(2, table.concat(text):gsub('"kind":"state"', "")))
    local path = folder .. "/dump"
    given.store:dump(path)
    local to = given.open()
    larder.load(path, to)
    support.none(to:caches())
    assert.is_true(to:verify().ok)
  end)

  it("is filled by a copy or a load where it has nothing but caches, which stay", function()
    local path = folder .. "/dump"
    given.store:dump(path)
    for _, batch in ipairs { false, 10 } do
      local to = given.open()
      to:cache("mine", { max_bytes = 100 }):set("k", "v")
      larder.load(path, to, { batch = batch or nil })
      assert.are.equal("v", (to:cache("mine"):get "k"))
      assert.is_true(to:verify().ok)
    end
    local to = given.open()
    to:cache("mine", { max_bytes = 100 }):set("k", "v")
    assert.is_true(larder.copy(given.store, to).verified)
    assert.are.equal("v", (to:cache("mine"):get "k"))
  end)

  it("that is overwritten keeps its caches' settings, and none of their entries", function()
    larder.copy(given.open(), given.store, { overwrite = true })
    support.none(given.store:collections())
    same({ "media", "pages" }, given.store:caches())
    same({ 0, 1000 }, { pages:stats().entries, pages:stats().max_bytes })
    assert.is_nil(media:get "m")
    assert.are.equal(1, media:sweep())
    media:set("m", ("n"):rep(200))
    assert.are.equal(("n"):rep(200), (media:get "m"))
    assert.is_true(given.store:verify().ok)
  end)

  it("is backed up with them", function()
    given.store:backup(folder .. "/backup")
    larder.restore(folder .. "/backup", folder .. "/restored")
    local restored <close> = larder.open("lmdb:" .. folder .. "/restored")
    same({ "media", "pages" }, restored:caches())
    assert.are.equal(("x"):rep(100), (restored:cache("pages"):get "k1"))
    assert.are.equal(("m"):rep(200), (restored:cache("media", { files = files }):get "m"))
    assert.is_true(restored:verify().ok)
  end)
end)

describe("the command", function()
  local at
  before_each(function() at = cli.new() end)
  after_each(function() at:remove() end)

  it("says which caches are there, and which it leaves out", function()
    do
      local store <close> = larder.open("lmdb:" .. at:path "store")
      store:cache("pages", { max_bytes = 10 }):set("k", "v")
      store:map("m"):set("k", 1)
    end
    local function said(line)
      local code, out, err = at:type(line)
      assert.are.equal(0, code, err)
      return out .. err
    end
    assert.is_truthy(said("larder info lmdb:store"):find "caches%s+pages")
    assert.is_truthy(said("larder copy lmdb:store lmdb:copied"):find("left out: the cache pages", 1, true))
    assert.is_truthy(said("larder dump lmdb:store dumped"):find("left out: the cache pages", 1, true))
    assert.is_truthy(said("larder copy --json lmdb:store lmdb:again"):find('"left_out":%s*%[%s*"pages"'))
  end)
end)
