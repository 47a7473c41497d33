-- larder.copy: a store in another one, row by row, verified.
local larder = require "larder"
local stocked = require "stocked"
local support = require "support"
local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function revisions(store)
  local list = {}
  for id in store:collection("plans"):each() do
    list[#list + 1] = select(2, store:collection("plans"):get(id.id or id))
  end
  return list
end

on_each_engine("larder.copy", function(given)
  it("brings everything, with revisions, and says what it brought", function()
    local to = given.open()
    local report = larder.copy(stocked.fill(given.store), to)
    stocked.holds(stocked.text(given.store), to)
    local revs = revisions(to)
    assert.are.equal(59, #revs)
    same(revisions(given.store), revs)
    assert.is_true(report.verified)
    assert.is_false(report.resumed)
    assert.are.equal(14, report.rooms.count)
    assert.are.equal(59, report.collections.plans.count)
    assert.are.equal(42, report.maps.seen.count)
    assert.truthy(report.collections["a\0b"].hash:find "^%x+$")
    assert.are.equal(32, #report.rooms.hash)
  end)

  it("goes to a URL, and leaves the source as it is", function()
    stocked.fill(given.store)
    local before = stocked.text(given.store)
    local url = "lmdb:" .. support.folder() .. "/store?durability=none"
    larder.copy(given.store, url)
    stocked.holds(before, given.store)
    local copied <close> = larder.open(url)
    stocked.holds(before, copied)
    larder.copy(url, given.open())
  end)

  it("builds the indexes anew, and they answer", function()
    local to = given.open()
    larder.copy(stocked.fill(given.store), to)
    local plans = to:collection "plans"
    assert.are.equal("status", plans:explain({ where = { status = "s1" } }).index)
    assert.are.equal(#given.store:collection("plans"):find { where = { status = "s1" } }, #plans:find { where = { status = "s1" } })
    for _, index in ipairs(plans:indexes()) do assert.is_true(index.ready, index.name) end
    raises("EXISTS", "n", plans.put, plans, { id = "twin", n = 5 })
  end)

  it("goes on behind the source's sequence: no revision is used twice", function()
    local to = given.open()
    larder.copy(stocked.fill(given.store), to)
    local highest = 0
    for _, revision in ipairs(revisions(to)) do highest = math.max(highest, revision) end
    to:collection("plans"):put { id = "new", n = 1000 }
    assert.is_true(select(2, to:collection("plans"):get "new") > highest)
    to:rooms():save { roomName = "new", ratings = { m = { { "x", "like", 1 } } } }
    same(given.store:rooms():get "room-12", to:rooms():get "room-12")
  end)

  it("keeps the queue at work: claimed jobs are held by the same token", function()
    local to = given.open()
    larder.copy(stocked.fill(given.store), to)
    same(given.store:queue("mail"):counts(), to:queue("mail"):counts())
    assert.is_true(to:queue("mail"):ack(stocked.job))
  end)

  it("refuses a target that is not empty, and itself", function()
    stocked.fill(given.store)
    local to = given.open()
    to:map("mine"):set("k", 1)
    raises("EXISTS", "not empty", larder.copy, given.store, to)
    assert.are.equal(1, to:map("mine"):get "k")
    raises("INVALID", "same store", larder.copy, given.store, given.store)
    raises("INVALID", "overwrit", larder.copy, given.store, to, { overwrit = true })
    raises("INVALID", "verify", larder.copy, given.store, to, { verify = 1 })
    raises("INVALID", "from", larder.copy, 5, to)
    raises("INVALID", "batch", larder.copy, given.store, to, { batch = 0 })
    raises("INVALID", "same store", given.store.update, given.store, function(tx) larder.copy(given.store, tx) end)
  end)

  it("replaces what is there when told to, all at once", function()
    stocked.fill(given.store)
    local to = given.open()
    to:map("mine"):set("k", 1)
    to:collection("plans", { indexes = { "other" } }):put { id = 1 }
    local seen
    local report = larder.copy(given.store, to, { overwrite = true, progress = function() seen = to:map("mine"):get "k" end })
    assert.are.equal(1, seen)
    assert.is_true(report.verified)
    stocked.holds(stocked.text(given.store), to)
    assert.is_nil(to:map("mine"):get "k")
  end)

  it("leaves what is there when replacing fails", function()
    stocked.fill(given.store)
    local to = given.open()
    to:map("mine"):set("k", 1)
    local before = stocked.text(to)
    local ok = pcall(larder.copy, given.store, to, { overwrite = true, batch = 20, progress = function() error "stop" end })
    assert.is_false(ok)
    stocked.holds(before, to)
  end)

  it("is of one snapshot, whatever is written meanwhile", function()
    stocked.fill(given.store)
    local before, to = stocked.text(given.store), given.open()
    local n = 0
    larder.copy(given.store, to, { batch = 10, progress = function()
      n = n + 1
      given.store:map("seen"):set({ "z", n }, n)
      given.store:collection("plans"):delete(n)
    end })
    assert.is_true(n > 5)
    stocked.holds(before, to)
  end)

  it("finds what differs in the target, and names the first of it", function()
    stocked.fill(given.store)
    local function differs(change, ...)
      local to, done = given.open(), false
      raises("CORRUPT", { ... }, larder.copy, given.store, to, { batch = 50, progress = function()
        if done or to:map("seen"):get { "k", 3 } == nil then return end
        done = true
        change(to)
      end })
      assert.is_true(done)
    end
    differs(function(to) to:map("seen"):set({ "k", 3 }, "changed") end, "map \"seen\"", "the first: entry (\"seen\", \"k\", 3) differs")
    differs(function(to) to:map("seen"):delete { "k", 3 } end, "map \"seen\"", "entry (\"seen\", \"k\", 3) is missing")
    differs(function(to) to:map("seen"):set("a", 1) end, "map \"seen\"", "entry (\"seen\", \"a\") is not in the source")
    differs(function(to) to:collection("plans"):delete(7) end, "collection \"plans\"", "document (\"plans\", 7) is missing")
    differs(function(to) to:rooms():rate("room-3", "new", "movie-1", "like") end, "rooms", "the first: rating (", "\"movie-1\") differs")
  end)

  it("takes single collections, beside others", function()
    stocked.fill(given.store)
    local to = given.open()
    to:collection("mine", { indexes = { "x" } }):put { id = 1, x = 1 }
    to:map("seen"):set("k", "mine")
    local report = larder.copy(given.store, to, { collections = { "plans", "a\0b" } })
    assert.is_nil(report.maps.seen)
    assert.are.equal(59, report.collections.plans.count)
    same({ "a\0b", "mine", "plans" }, to:collections())
    assert.are.equal(1, to:collection("mine"):first({ where = { x = 1 } }).id)
    assert.are.equal(15, to:collection("plans"):count { status = "s1" })
    assert.is_false(to:rooms():has "room-1")
    raises("EXISTS", "plans", larder.copy, given.store, to, { collections = { "plans" } })
    raises("INVALID", "nowhere", larder.copy, given.store, to, { collections = { "nowhere" } })
    raises("INVALID", "collections", larder.copy, given.store, to, { collections = {} })
    to:collection("plans"):delete(1)
    larder.copy(given.store, to, { collections = { "plans" }, overwrite = true })
    assert.are.equal(59, to:collection("plans"):count())
    assert.are.equal("mine", to:map("seen"):get "k")
  end)

  it("brings them into a transaction, which may still be rolled back", function()
    stocked.fill(given.store)
    local to = given.open()
    pcall(to.update, to, function(tx)
      assert.is_true(larder.copy(given.store, tx).verified)
      assert.are.equal(59, tx:collection("plans"):count())
      error "no"
    end)
    assert.are.equal("", stocked.text(to))
  end)

  it("tells its progress, up to all of it", function()
    stocked.fill(given.store)
    local function keep(_, document) return document end
    for _, options in ipairs { {}, { batch = 30 }, { collections = { "plans" } }, { transform = keep } } do
      local last, whole, calls = 0, nil, 0
      options.progress = function(rows, total)
        assert.is_true(rows >= last and total == (whole or total) and math.type(rows) == "integer")
        last, whole, calls = rows, total, calls + 1
      end
      larder.copy(given.store, given.open(), options)
      assert.are.equal(given.store:stats().entries, whole)
      assert.are.equal(whole, last)
      assert.is_true(calls >= (options.batch and 8 or 1))
    end
  end)

  it("copies an empty store", function()
    local to = given.open()
    assert.are.equal(0, larder.copy(given.store, to).rows)
    larder.copy(given.store, to)
  end)
end)

describe("larder.copy from a URL", function()
  after_each(support.remove_folders)

  it("never makes the source", function()
    local folder = support.folder()
    raises("IO", "/nowhere", larder.copy, "lmdb:" .. folder .. "/nowhere", "lmdb:" .. folder .. "/to")
    raises("IO", "/nowhere", larder.copy, { engine = "lmdb", path = folder .. "/nowhere" }, "memory:")
    assert.are.equal("", io.popen(("ls -A '%s'"):format(folder)):read "a")
  end)

  it("takes a store that is open here, too, and no other name of the same", function()
    local folder = support.folder()
    local url = "lmdb:" .. folder .. "/store"
    local store <close> = larder.open(url)
    store:map("m"):set("k", 1)
    assert.are.equal(1, larder.copy(url, "memory:").maps.m.count)
    assert(os.execute(("ln -s store '%s/link'"):format(folder)))
    local link = "lmdb:" .. folder .. "/link"
    raises("INVALID", "same store", larder.copy, store, link)
    store:close()
    raises("INVALID", "same store", larder.copy, link, url, { overwrite = true })
    raises("INVALID", "same store", larder.copy, url, { engine = "lmdb", path = folder .. "/store/." }, { overwrite = true })
  end)
end)
