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

  it("goes on where it was broken off", function()
    stocked.fill(given.store)
    for stop = 1, 12 do
      local to, calls, resumed_at = given.open(), 0, nil
      pcall(larder.copy, given.store, to, { batch = 25, progress = function()
        calls = calls + 1
        if calls == stop then error "stop" end
      end })
      local report = larder.copy(given.store, to, { batch = 25, progress = function(rows) resumed_at = resumed_at or rows end })
      assert.is_true(report.resumed)
      assert.is_true(resumed_at >= math.min(stop, 8) * 25, ("stop %d: went on at %d"):format(stop, resumed_at))
      stocked.holds(stocked.text(given.store), to)
      to:close()
    end
  end)

  it("is told by verify until it has ended, and nothing else is", function()
    stocked.fill(given.store)
    for stop = 1, 9 do
      local to, calls = given.open(), 0
      pcall(larder.copy, given.store, to, { batch = 25, progress = function()
        calls = calls + 1
        if calls == stop then error "stop" end
      end })
      local report = to:verify { repair = "indexes" }
      same({ { kind = "unfinished", where = "row \"unfinished\" of the store",
        text = "a copy into this store has not ended; what its rows say of one another was not looked at" } }, report.findings)
      support.none(report.repaired)
      larder.copy(given.store, to, { batch = 25 })
      assert.is_true(to:verify().ok)
      to:close()
    end
  end)

  it("does not go on when the source or the target was written to meanwhile, or it was another source", function()
    stocked.fill(given.store)
    local function broken()
      local to = given.open()
      pcall(larder.copy, given.store, to, { batch = 25, progress = function() error "stop" end })
      return to
    end
    local first, second, third = broken(), broken(), broken()
    first:map("mine"):set("k", 1)
    raises("EXISTS", "beginning", larder.copy, given.store, first)
    local other = given.open()
    other:map("m"):set("k", 1)
    raises("EXISTS", "beginning", larder.copy, other, third)
    given.store:map("seen"):set("new", 1)
    raises("EXISTS", "before it changed", larder.copy, given.store, second)
    assert.is_true(larder.copy(given.store, second, { overwrite = true }).verified)
    stocked.holds(stocked.text(given.store), second)
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

  it("finds what differs in the target", function()
    stocked.fill(given.store)
    local to, done = given.open(), false
    raises("CORRUPT", { "map \"seen\"" }, larder.copy, given.store, to, { batch = 50, progress = function()
      if done or to:map("seen"):get { "k", 3 } == nil then return end
      done = true
      to:map("seen"):set({ "k", 3 }, "changed")
    end })
    assert.is_true(done)
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

  it("lets a function change what is copied, or leave it out", function()
    stocked.fill(given.store)
    local to, kinds = given.open(), {}
    local report = larder.copy(given.store, to, { batch = 30, transform = function(kind, document, name)
      kinds[kind .. " " .. tostring(name)] = true
      if kind == "document" and name == "plans" then
        if document.id == 5 then return nil end
        document.extra = true
      elseif kind == "room" then
        document.n = (document.n or 0) + 100
      end
      return document
    end })
    assert.is_false(report.verified)
    assert.are.equal(58, report.collections.plans.count)
    assert.is_true(to:collection("plans"):get(6).extra)
    assert.is_nil(to:collection("plans"):get(5))
    assert.are.equal(107, to:rooms():get("room-7").n)
    assert.are.equal(false, to:map("seen"):get(7))
    assert.is_true(kinds["room nil"] and kinds["document plans"] and kinds["entry seen"] and kinds["job mail"])
    same(given.store:queue("mail"):counts(), to:queue("mail"):counts())
  end)

  it("goes on with a transformed copy, too", function()
    stocked.fill(given.store)
    local to, calls = given.open(), 0
    local function keep(_, document) calls = calls + 1 return document end
    pcall(larder.copy, given.store, to, { batch = 30, transform = keep, progress = function() error "stop" end })
    assert.is_true(calls > 0 and calls <= 30)
    local report = larder.copy(given.store, to, { batch = 30, transform = keep })
    assert.is_true(report.resumed)
    assert.are.equal(given.store:collection("plans"):count(), report.collections.plans.count)
    for _, name in ipairs(given.store:collections()) do
      same(given.store:collection(name):find {}, to:collection(name):find {})
    end
    for name in given.store:rooms():names() do same(given.store:rooms():get(name), to:rooms():get(name)) end
    for key, value in given.store:map("seen"):range() do same(value, to:map("seen"):get(key)) end
  end)

  it("copies an empty store", function()
    local to = given.open()
    assert.are.equal(0, larder.copy(given.store, to).rows)
    larder.copy(given.store, to)
  end)
end)
