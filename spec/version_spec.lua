local larder = require "larder"
local people_of = require "people"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises
local declare, ids = people_of.declare, people_of.ids
local ada3, alan3 = people_of.ada, people_of.alan

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
