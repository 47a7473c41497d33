local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- Version 1: { name = "Ada Byron" }; 2: { first = "Ada", last = "Byron" }; 3: all of it in `who`.
local steps = {
  [2] = function(doc)
    doc.first, doc.last = doc.name:match "^(%S+) (%S+)$"
    doc.name = nil
    return doc
  end,
  [3] = function(doc) return { id = doc.id, tags = doc.tags, who = { first = doc.first, last = doc.last } } end,
}

local function declare(place, version, more)
  local options = { version = version, upgrade = {} }
  for to, step in pairs(steps) do options.upgrade[to] = to <= version and step or nil end
  for name, value in pairs(more or {}) do options[name] = value end
  return place:collection("people", options)
end

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

local ada3, alan3 = { id = 1, who = { first = "Ada", last = "Byron" } }, { id = 2, who = { first = "Alan", last = "Turing" } }

on_each_engine("a document of an older version", function(given)
  local function fill()
    local people = given.store:collection "people"
    people:create { id = 1, name = "Ada Byron" }
    people:create { id = 2, name = "Alan Turing" }
    return people
  end

  it("is upgraded step by step wherever it is read", function()
    local old = fill()
    local people = declare(given.store, 3)
    same(ada3, (people:get(1)))
    same({ ada3, alan3 }, (people:find()))
    same(alan3, people:first { sort = "-id" })
    same({ ada3, alan3 }, support.collect(people:each()))
    same({ "Byron", "Turing" }, people:distinct "who.last")
    same({ { id = 2, who = { last = "Turing" } } }, (people:find { where = { ["who.first"] = "Alan" }, select = { "who.last" } }))
    same({ 2, 1 }, ids(people:find { sort = "-who.last" }))
    assert.are.equal(1, people:count { ["who.last"] = "Byron" })
    assert.are.equal(0, people:count { name = "Ada Byron" })
    same(ada3, (old:get(1)), "handles of one store share what one of them declares")
    given.store:view(function(tx) same(ada3, (tx:collection("people"):get(1))) end)
  end)

  it("is not written by reading", function()
    fill()
    local before = select(2, given.store:collection("people"):get(1))
    local people = declare(given.store, 3)
    for _ = 1, 2 do
      assert.are.equal(before, select(2, people:get(1)))
      people:find { where = { ["who.last"] = "Byron" } }
    end
    assert.are.equal(2, people:upgrade_all())
  end)

  it("is written in the program's version by a put, a patch and a function", function()
    fill():create { id = 3, name = "Grace Hopper" }
    local people = declare(given.store, 3)
    people:put { id = 1, who = { last = "Lovelace" } }
    same({ id = 2, who = { first = "Alan M.", last = "Turing" } }, people:update(2, { ["who.first"] = "Alan M." }))
    people:update(3, function(doc)
      same({ id = 3, who = { first = "Grace", last = "Hopper" } }, doc)
      doc.who.first = nil
      return doc
    end)
    assert.are.equal(0, people:upgrade_all())
    same({ id = 1, who = { last = "Lovelace" } }, (people:get(1)))
    same({ id = 3, who = { last = "Hopper" } }, (people:get(3)))
  end)

  it("is found, changed and deleted by what it is when upgraded", function()
    fill()
    local people = declare(given.store, 3)
    assert.are.equal(0, people:update_where({ name = "Ada Byron" }, { found = true }))
    assert.are.equal(1, people:update_where({ ["who.last"] = "Byron" }, { found = true }))
    same({ id = 1, found = true, who = ada3.who }, (people:get(1)))
    assert.are.equal(1, people:delete_where { ["who.last"] = "Turing" })
    assert.are.equal(0, people:upgrade_all())
  end)

  it("goes without the steps that there are none for, and may be changed in place", function()
    given.store:collection("c"):create { id = "a", n = 1 }
    local c = given.store:collection("c", { version = 20260101, upgrade = { [7] = function(doc) doc.n = doc.n + 1 end,
      [20260101] = function(doc) doc.n = doc.n * 10 end } })
    same({ id = "a", n = 20 }, (c:get "a"))
    local bare = given.store:collection("d")
    bare:create { id = 1 }
    same({ id = 1 }, (given.store:collection("d", { version = 4 }):get(1)))
  end)

  it("of the middle gets the later steps only", function()
    local people = declare(given.store, 2)
    people:create { id = 1, first = "Ada", last = "Byron" }
    local called = {}
    local store = given.store
    store:collection("people", { version = 2, upgrade = { [2] = function() called[#called + 1] = 2 end } })
    same({ id = 1, first = "Ada", last = "Byron" }, (people:get(1)))
    same({}, called)
  end)

  it("whose upgrade raises, yields or gives no document fails the read, naming collection, id and version", function()
    local reason = { "any", "value" }
    local c = given.store:collection "c"
    c:create { id = "x", n = 1 }
    local function fails(code, text, step)
      given.store:collection("c", { version = 3, upgrade = { [3] = step } })
      for _, read in ipairs { c.find, c.first, function() return c:get "x" end, function() return c:count { n = 1 } end,
        function() return c:update("x", { n = 2 }) end, function() return c:update_where({}, { n = 2 }) end,
        function() return c:upgrade_all() end, function() for _ in c:each() do end end } do
        local raised = raises(code, { 'collection "c"', 'document "x"', "version 1 to 3", "upgrade[3]", text }, read, c)
        if text == "" then assert.are.equal(reason, raised.cause) end
      end
    end
    fails("INVALID", "went wrong", function() error "went wrong" end)
    fails("INVALID", "", function() error(reason) end)
    fails("INVALID", "must return the document, a table, got number", function() return 5 end)
    fails("MISUSE", "yield", function() coroutine.yield() end)
    fails("MISUSE", "yield", coroutine.wrap(function() while true do coroutine.yield(coroutine.yield) end end)())
    given.store:collection("c", { version = 3, upgrade = {} })
    same({ id = "x", n = 1 }, (c:get "x"))
  end)

  it("keeps its id, and becomes only what can be stored", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    for _, id in ipairs { 2, 1.0, "1", larder.null, false } do
      given.store:collection("c", { version = 2, upgrade = { [2] = function() return { id = id or nil } end } })
      raises("INVALID", { 'collection "c": document 1: ', "id of a document cannot be changed" }, c.get, c, 1)
    end
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.a = { print } end } })
    raises("INVALID", { "document 1: ", "a[1]: a function" }, c.get, c, 1)
  end)

  it("is upgraded without the store, its transactions or its end", function()
    local store = given.store
    local c = store:collection "c"
    c:create { id = 1 }
    local tx
    local tries = { function() c:get(1) end, function() store:close() end, function() store:update(print) end,
      function() tx:rollback() end, function() tx:commit() end, function() local _ <close> = tx end,
      coroutine.wrap(function() c:get(1) end) }
    for _, try in ipairs(tries) do
      tx = nil
      store:collection("c", { version = 2, upgrade = { [2] = function() try() end } })
      tx = store:begin "write"
      local raised = raises("INVALID", "upgrade[2]", function() return tx:collection("c"):get(1) end)
      assert.are.equal("MISUSE", raised.cause.code)
      tx:rollback()
    end
    store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.saw = pcall(c.get, c, 1) end } })
    same({ id = 1, saw = false }, (c:get(1)))
  end)

  it("survives collections of garbage", function()
    fill()
    support.with_constant_collection(function()
      local people = declare(given.store, 3)
      for _ = 1, 5 do same({ ada3, alan3 }, (people:find())) end
      assert.are.equal(2, people:update_where({}, { ok = true }))
    end)
  end)

  it("leaves a transaction usable when it cannot be read", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    given.store:collection("c", { version = 2, upgrade = { [2] = function() error "no" end } })
    given.store:update(function(tx)
      tx:collection("c"):create { id = 2 }
      assert.is_false(pcall(c.get, tx:collection "c", 1))
      assert.is_false(pcall(tx:collection("c").update, tx:collection "c", 1, { a = 1 }))
      tx:collection("c"):create { id = 3 }
    end)
    assert.are.equal(3, c:count())
  end)
end)

on_each_engine("indexes and versions", function(given)
  --- The name of the index that is used, or why none is.
  local function reason(collection, query)
    local explained = collection:explain(query)
    return explained.index or explained.candidates[2].reason
  end

  it("do not meet while older documents are there", function()
    local raw = given.store:collection("people", { indexes = { "name", "who.last" } })
    for i = 1, 30 do raw:create { id = i, name = ("F%d L%d"):format(i, i % 3) } end
    local query = { where = { ["who.last"] = "L1" } }
    same({}, ids(raw:find(query)))
    local people = declare(given.store, 3)
    assert.are.equal("30 documents of older versions are not upgraded yet", reason(people, query))
    assert.are.equal(10, #people:find(query))
    people:update(2, { a = 1 })
    people:delete(3)
    assert.are.equal("28 documents of older versions are not upgraded yet", reason(people, query))
    assert.are.equal(10, people:count(query.where))
    assert.are.equal(28, people:upgrade_all())
    assert.are.equal("who.last", reason(people, query))
    assert.are.equal(10, #people:find(query))
    assert.are.equal(0, people:count { name = "F1 L1" })
    people:delete(1)
    assert.are.equal(9, people:count(query.where))
  end)

  it("are built of what is stored, and follow each write", function()
    local raw = given.store:collection "people"
    for i = 1, 10 do raw:create { id = i, name = ("F%d L%d"):format(i, i % 2) } end
    local people = declare(given.store, 2)
    for i = 1, 5 do people:update(i, { seen = true }) end
    declare(given.store, 2, { indexes = { "last", { "seen", sparse = true } } })
    assert.are.equal(5, people:count { last = "L1" })
    for i = 6, 10 do people:update(i, { seen = true }) end
    assert.are.equal("last", reason(people, { where = { last = "L1" } }))
    same({ 1, 3, 5, 7, 9 }, ids(people:find { where = { last = "L1" } }))
    same({ 10, 8, 6, 4, 2 }, ids(people:find { where = { last = "L0", seen = true }, sort = "-id" }))
    people:delete_where { last = "L1" }
    same({ 2, 4, 6, 8, 10 }, ids(people:find { sort = "last", limit = 100 }))
  end)

  it("enforce uniqueness when a document is upgraded", function()
    local raw = given.store:collection("people", { indexes = { { "last", unique = true } } })
    raw:create { id = 1, name = "Ada Byron" }
    raw:create { id = 2, name = "Anne Byron" }
    local people = declare(given.store, 2)
    assert.are.equal(2, people:count { last = "Byron" })
    raises("EXISTS", { "1", "2" }, people.upgrade_all, people)
    people:delete(2)
    assert.are.equal(1, people:upgrade_all())
  end)
end)

on_each_engine("declaring a version", function(given)
  it("refuses what is none, and steps that cannot be", function()
    local function refused(texts, options) raises("INVALID", texts, given.store.collection, given.store, "c", options) end
    for _, version in ipairs { 0, -1, 1.5, "2", true, {} } do refused("version", { version = version }) end
    refused({ "upgrade", "version" }, { upgrade = {} })
    refused({ "upgrade", "table", "function" }, { version = 2, upgrade = print })
    refused({ "upgrade", "2 to 3", "1" }, { version = 3, upgrade = { print, print, print } })
    refused({ "upgrade", "2 to 3", "4" }, { version = 3, upgrade = { [4] = print } })
    refused({ "upgrade", "2 to 3", "2.5" }, { version = 3, upgrade = { [2.5] = print } })
    refused({ "upgrade", "2 to 3", "x" }, { version = 3, upgrade = { x = print } })
    refused({ "upgrade[2]", "function", "string" }, { version = 3, upgrade = { [2] = "x" } })
    refused({ "validate", "function", "table" }, { validate = {} })
    support.none(given.store:collections())
    local c = given.store:collection "c"
    raises("INVALID", "no version", c.upgrade_all, c)
  end)

  it("differently for one store shows both, and changes nothing", function()
    local people = declare(given.store, 3)
    raises("INVALID", { '"people"', "version = 3", "version = 2" }, declare, given.store, 2)
    raises("INVALID", { '"people"', "version = 3", "version = 4" }, declare, given.store, 4, { indexes = { "a" } })
    support.none(people:indexes())
    given.store:update(function(tx) raises("INVALID", "version = 3", declare, tx, 2) end)
    declare(given.store, 3)
  end)

  it("again replaces the functions for all handles, and without them keeps them", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.by = "first" end } })
    given.store:collection("c", { version = 2, indexes = { "a" } })
    given.store:collection "c"
    assert.are.equal("first", c:get(1).by)
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.by = "second" end } })
    assert.are.equal("second", c:get(1).by)
  end)

  it("outlives the handle that it was declared with", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.v = 2 end } })
    collectgarbage()
    collectgarbage()
    assert.are.equal(2, c:get(1).v)
    assert.are.equal(2, given.store:collection("c"):get(1).v)
  end)

  it("holds a copy of the table of steps", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    local upgrade = { [2] = function(doc) doc.v = 2 end }
    given.store:collection("c", { version = 2, upgrade = upgrade })
    upgrade[2] = error
    assert.are.equal(2, c:get(1).v)
  end)
end)

describe("two versions of a program on one store #lmdb", function()
  local stores, path

  local function open()
    stores[#stores + 1] = larder.open { engine = "lmdb", path = path, durability = "none" }
    return stores[#stores]
  end

  before_each(function() stores, path = {}, support.folder() .. "/store" end)
  after_each(function()
    for _, store in ipairs(stores) do store:close() end
    support.remove_folders()
  end)

  it("read each other's documents upwards, and refuse them downwards", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    old:create { id = 1, name = "Ada Byron" }
    new:create { id = 2, first = "Alan", last = "Turing" }
    same({ id = 1, first = "Ada", last = "Byron" }, (new:get(1)))
    same({ id = 1, name = "Ada Byron" }, (old:get(1)))
    local texts = { 'collection "people"', "document 2", "a newer program", "version 2", "version 1" }
    raises("UNSUPPORTED", texts, old.get, old, 2)
    raises("UNSUPPORTED", texts, old.find, old)
    raises("UNSUPPORTED", texts, old.find, old, { sort = "-first" })
    raises("UNSUPPORTED", texts, old.count, old, { id = 2 })
    raises("UNSUPPORTED", texts, old.distinct, old, "name")
    raises("UNSUPPORTED", texts, function() for _ in old:each() do end end)
    same({ { id = 1, name = "Ada Byron" } }, (old:find { limit = 1 }))
    same({ { id = 1, name = "Ada Byron" } }, (old:find { where = { name = "Ada Byron" } }))
    assert.is_true(old:has(2))
    assert.are.equal(2, old:count())
  end)

  it("never write a newer document back", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    new:create { id = 2, first = "Alan", last = "Turing" }
    local _, revision = new:get(2)
    local texts = { 'collection "people"', "document 2", "version 2", "version 1" }
    raises("UNSUPPORTED", texts, old.put, old, { id = 2, name = "x" })
    raises("UNSUPPORTED", texts, old.put, old, { id = 2, name = "x" }, { if_rev = revision })
    raises("UNSUPPORTED", texts, old.update, old, 2, { name = "x" })
    raises("UNSUPPORTED", texts, old.update, old, 2, { name = "x" }, { upsert = true })
    raises("UNSUPPORTED", texts, old.update, old, 2, function(doc) return doc end)
    raises("UNSUPPORTED", texts, old.update_where, old, {}, { name = "x" })
    raises("UNSUPPORTED", texts, old.delete_where, old, {})
    raises("EXISTS", nil, old.create, old, { id = 2, name = "x" })
    assert.are.equal(0, old:upgrade_all())
    same({ id = 2, first = "Alan", last = "Turing" }, (new:get(2)))
    assert.are.equal(revision, select(2, new:get(2)))
    assert.is_true(old:delete(2))
    assert.are.equal(0, new:count())
  end)

  it("refuse newer documents whether an index leads to them or not", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    for i = 1, 20 do old:create { id = i, name = "Old " .. i, n = i } end
    new:create { id = 50, first = "N", last = "M", n = 50 }
    local function answers()
      local list = {}
      for i, query in ipairs { { where = { n = 3 } }, { where = { n = { ["$gt"] = 18 } } }, { where = { n = { ["$gt"] = 18 } }, limit = 2 },
        { where = { n = 50 } }, { sort = "n", limit = 5 }, { sort = "-n", limit = 5 }, { sort = "-n", limit = 5, offset = 1 } } do
        local ok, got = pcall(old.find, old, query)
        list[i] = ok and table.concat(ids(got), " ") or got.code
      end
      return list
    end
    local without = { "3", "UNSUPPORTED", "19 20", "UNSUPPORTED", "1 2 3 4 5", "UNSUPPORTED", "20 19 18 17 16" }
    same(without, answers())
    declare(stores[1], 1, { indexes = { "n" } })
    assert.are.equal("n", old:explain({ where = { n = 3 } }).index)
    same(without, answers())
  end)

  it("that says no version gets documents as they are stored, and lowers none", function()
    local new, raw = declare(open(), 3), open():collection "people"
    new:create(ada3)
    local one = open():collection("people", { version = 3 })
    same(ada3, (raw:get(1)))
    raw:put { id = 1, who = { first = "Ada", last = "Lovelace" } }
    raw:update(1, { more = 1 })
    raw:create { id = 5, who = { first = "x" } }
    same({ id = 1, who = { first = "Ada", last = "Lovelace" }, more = 1 }, (one:get(1)))
    same({ id = 5, who = { first = "x" } }, (new:get(5)))
    assert.are.equal(0, new:upgrade_all())
  end)

  it("keep the version when the store is opened again, and when the declaration came with a write", function()
    declare(open(), 2):create { id = 1, first = "Ada", last = "Byron" }
    for _, store in ipairs(stores) do store:close() end
    same(ada3, (declare(open(), 3):get(1)))
    stores[#stores]:view(function(tx) assert.are.equal(1, tx:collection("people"):count()) end)
    raises("UNSUPPORTED", "version 2", function() return declare(open(), 1):get(1) end)
  end)

  it("may come and go: an old one writes on, and a new one goes on upgrading", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    for i = 1, 10 do old:create { id = i, name = "A B" } end
    assert.are.equal(10, new:upgrade_all { batch = 3 })
    for i = 11, 13 do old:create { id = i, name = "A B" } end
    old:create { id = -1, name = "A B" }
    local seen = 0
    local count = new:upgrade_all { batch = 2, progress = function()
      seen = seen + 1
      if seen == 1 then old:create { id = -5, name = "A B" } end
    end }
    assert.are.equal(5, count)
    assert.are.equal(15, new:count { first = "A" })
    assert.are.equal(0, new:upgrade_all())
  end)
end)
