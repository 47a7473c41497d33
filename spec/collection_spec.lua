local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a collection", function(given)
  local plans
  before_each(function() plans = given.store:collection "plans" end)

  it("gives back what was put, exactly", function()
    local document = { id = "a", int = 1, float = 1.0, null = larder.null, empty = {}, list = larder.array {}, bytes = "\xff\0",
      [1.5] = true, deep = { { { x = { larder.null, false } } } } }
    same(document, plans:put(document))
    same(document, (plans:get "a"))
    same(document, plans:create { id = 2, deep = document }.deep)
    assert.is_true(plans:has "a")
    assert.are.equal(2, plans:count())
  end)

  it("is nil where nothing is", function()
    same({ n = 1 }, table.pack(plans:get "a"))
    assert.is_false(plans:has "a")
    assert.is_false(plans:delete "a")
    assert.is_nil(plans:update("a", { b = 1 }))
    assert.is_nil(plans:first())
    assert.are.equal(0, plans:count())
    support.none(plans:find())
    support.none(plans:distinct "a")
    support.none(given.store:collections())
    for _ in plans:each() do error "a document in an empty collection" end
  end)

  it("makes ids that are UUIDs of version 7 and sort by time", function()
    local made, clock = {}, 0x0123456789ab
    local store = given.open { clock = function() return clock end }
    local list = store:collection "list"
    for i = 1, 50 do
      clock = clock + 1
      made[i] = list:create { n = i }.id
      assert.truthy(made[i]:find "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", made[i])
    end
    assert.are.equal("01234567-89ac", made[1]:sub(1, 13))
    for i, document in ipairs(list:find()) do same({ id = made[i], n = i }, document) end
    assert.are.equal(50, list:count())
  end)

  it("creates only what is not there, puts whatever is", function()
    plans:create { id = 1, a = 1 }
    plans:create { id = "1", a = 2 }
    raises("EXISTS", "1", plans.create, plans, { id = 1, a = 3 })
    raises("EXISTS", '"1"', plans.create, plans, { id = "1" })
    same({ id = 1, a = 1 }, (plans:get(1)))
    same({ id = 1, b = 1 }, plans:put { id = 1, b = 1 })
    same({ id = 1, b = 1 }, (plans:get(1)))
    same({ id = "1", a = 2 }, (plans:get "1"))
    assert.are.equal(2, plans:count())
  end)

  it("deletes once, and counts without a scan", function()
    for i = 1, 20 do plans:put { id = i } end
    for i = 1, 20, 2 do assert.is_true(plans:delete(i)) end
    assert.is_false(plans:delete(1))
    assert.are.equal(10, plans:count())
    assert.are.equal(10, plans:count {})
    assert.are.equal(10, #plans:find())
  end)

  it("takes any string and integer for an id", function()
    local ids = { math.mininteger, -1, 0, 1, math.maxinteger, "\0", "\0\0", "\0\xff", "1", "a", "a\0b", "ab", ("x"):rep(1023), "\xff" }
    for i = #ids, 1, -1 do plans:create { id = ids[i], n = i } end
    for i, id in ipairs(ids) do assert.are.equal(i, plans:get(id).n) end
    for i, document in ipairs(plans:find()) do same(ids[i], document.id) end
    for _, id in ipairs(ids) do assert.is_true(plans:delete(id)) end
    assert.are.equal(0, plans:count())
  end)

  it("refuses ids that are none, everywhere", function()
    local bad = { { "INVALID", 1.5 }, { "INVALID", 1.0 }, { "INVALID", true }, { "INVALID", "" }, { "INVALID", {} },
      { "INVALID", larder.null }, { "TOOBIG", ("x"):rep(1024) } }
    for _, case in ipairs(bad) do
      for _, method in ipairs { "get", "has", "delete" } do raises(case[1], "id", plans[method], plans, case[2]) end
      raises(case[1], "id", plans.update, plans, case[2], {}, { upsert = true })
      raises(case[1], "id", plans.update, plans, case[2], function(document) return document end, { upsert = true })
      for _, method in ipairs { "put", "create" } do raises(case[1], "id", plans[method], plans, { id = case[2] }) end
    end
    raises("INVALID", "id: expected a string or an integer, got nothing", plans.get, plans)
    raises("INVALID", "the id is missing", plans.put, plans, { a = 1 })
    assert.are.equal(0, plans:count())
    support.none(given.store:collections())
  end)

  it("refuses what is no document", function()
    for _, method in ipairs { "put", "create" } do
      for _, value in ipairs { 1, "a", true, { 1, 2 }, larder.array {}, larder.null } do
        raises("INVALID", "document", plans[method], plans, value)
      end
      raises("INVALID", "got nothing", plans[method], plans)
      raises("INVALID", { "a.b[2]", "function" }, plans[method], plans, { id = 1, a = { b = { 1, print } } })
      raises("INVALID", { "a: ", "larder.remove" }, plans[method], plans, { id = 1, a = larder.remove })
      raises("INVALID", { "a.b: ", "larder.remove" }, plans[method], plans, { id = 1, a = { b = larder.remove } })
    end
    raises("INVALID", "if_rev", plans.put, plans, { id = 1 }, { ifrev = 1 })
    raises("INVALID", "if_rev", plans.create, plans, { id = 1 }, { if_rev = 1 })
    raises("INVALID", "colon", plans.get, given.store, "a")
    raises("INVALID", "colon", plans.get)
    assert.are.equal(0, plans:count())
  end)
end)

on_each_engine("revisions", function(given)
  local plans
  before_each(function() plans = given.store:collection "plans" end)

  it("guard put, update and delete", function()
    plans:put { id = 1, n = 1 }
    local _, first = plans:get(1)
    assert.are.equal("integer", math.type(first))
    plans:put({ id = 1, n = 2 }, { if_rev = first })
    local _, second = plans:get(1)
    assert.is_true(second > first)
    local failed = raises("CONFLICT", "1", plans.put, plans, { id = 1, n = 3 }, { if_rev = first })
    assert.is_false(failed.retryable)
    raises("CONFLICT", nil, plans.update, plans, 1, { n = 3 }, { if_rev = first })
    raises("CONFLICT", nil, plans.update, plans, 1, function(plan) plan.n = 3 return plan end, { if_rev = first })
    raises("CONFLICT", nil, plans.delete, plans, 1, { if_rev = first })
    same({ id = 1, n = 2 }, (plans:get(1)))
    assert.are.equal(3, plans:update(1, { n = 3 }, { if_rev = second }).n)
    local _, third = plans:get(1)
    assert.are.equal(4, plans:update(1, function(plan) plan.n = 4 return plan end, { if_rev = third }).n)
    local _, fourth = plans:get(1)
    assert.is_true(plans:delete(1, { if_rev = fourth }))
  end)

  it("are never used twice, not even after delete and create", function()
    local seen = {}
    for _ = 1, 10 do
      plans:put { id = 1 }
      local _, revision = plans:get(1)
      assert.is_nil(seen[revision])
      seen[revision] = true
      plans:delete(1)
    end
    for revision in pairs(seen) do
      raises("CONFLICT", nil, plans.put, plans, { id = 1 }, { if_rev = revision })
      assert.is_false(plans:delete(1, { if_rev = revision }))
      assert.is_nil(plans:update(1, { a = 1 }, { if_rev = revision, upsert = true }))
    end
    assert.are.equal(0, plans:count())
  end)

  it("have to be revisions", function()
    plans:put { id = 1 }
    for _, bad in ipairs { 0, -1, 1.5, "1", true, {} } do
      raises("INVALID", "if_rev", plans.put, plans, { id = 1 }, { if_rev = bad })
      raises("INVALID", "if_rev", plans.update, plans, 1, {}, { if_rev = bad })
      raises("INVALID", "if_rev", plans.delete, plans, 1, { if_rev = bad })
    end
  end)
end)

on_each_engine("collections", function(given)
  it("give back the document that was stored: the given table itself, or one with the new id", function()
    local plans, whole, half = given.store:collection "plans", { id = 1, a = larder.array {} }, { a = 2 }
    assert.is_true(whole == plans:create(whole) and whole == plans:put(whole))
    local made = plans:create(half)
    same({ nil, { id = made.id, a = 2 } }, { half.id, made })
  end)

  it("are entered when they are declared or written to, and dropped", function()
    local store = given.store
    store:collection("x"):put { id = 1 }
    store:drop "x"
    local entries = store:stats().entries
    store:collection "a"
    store:collection("b"):find()
    store:update(function(tx) tx:collection("b"):find() end)
    store:view(function(tx) tx:collection("b", { key = "name" }):find() end)
    support.none(store:collections())
    store:collection("b", { key = "name" })
    same({ "b" }, store:collections())
    local names = { "a", "a\0", "b", ("n"):rep(600), ("n"):rep(1023), "\xff" }
    for i = #names, 1, -1 do
      local name = names[i]
      store:collection(name, { key = name == "b" and "name" or "id" }):put { id = 1, name = name }
    end
    same(names, store:collections())
    assert.is_true(store:drop "a")
    assert.is_false(store:drop "a")
    assert.is_false(store:drop "nothing")
    same({ table.unpack(names, 2) }, store:collections())
    assert.are.equal(0, store:collection("a"):count())
    assert.is_nil((store:collection("a"):get(1)))
    for _, name in ipairs(store:collections()) do
      same({ id = 1, name = name }, store:collection(name):first())
      assert.is_true(store:drop(name))
    end
    support.none(store:collections())
    assert.are.equal(0, given.store:stats().entries - entries)
  end)

  it("have one declaration, which all handles share", function()
    local store = given.store
    local people = store:collection("people", { key = "name" })
    people:put { name = "ada", id = 7 }
    same({ name = "ada", id = 7 }, (store:collection("people"):get "ada"))
    same({ name = "ada" }, store:collection("people"):find { select = { "x" } }[1])
    local undeclared = store:collection "people"
    raises("INVALID", "missing", undeclared.put, undeclared, { id = 8 })
    assert.are.equal("grace", undeclared:update("grace", {}, { upsert = true }).name)
    raises("INVALID", { "people", '"name"', '"id"' }, store.collection, store, "people", { key = "id" })
    store:collection("people", { key = "name" })
  end)

  it("find out that another handle was first", function()
    local store = given.store
    local one = store:collection("c", { key = "a" })
    raises("INVALID", { '"a"', '"b"' }, store.collection, store, "c", { key = "b" })
    store:drop "c"
    local other = store:collection("c", { key = "b" })
    raises("INVALID", { '"a"', '"b"' }, one.put, one, { a = 1, b = 2 })
    raises("INVALID", { '"a"', '"b"' }, one.find, one)
    raises("INVALID", { '"a"', '"b"' }, one.update, one, 2, { c = 1 })
    other:put { a = 1, b = 2 }
    assert.are.equal(1, other:count())
  end)

  it("refuse names and declarations that are none", function()
    local store = given.store
    for _, method in ipairs { "collection" } do
      raises("INVALID", "empty", store[method], store, "")
      raises("INVALID", "name", store[method], store)
      raises("INVALID", "name", store[method], store, 1)
      raises("TOOBIG", "1023", store[method], store, ("x"):rep(1024))
    end
    raises("TOOBIG", "1023", store.drop, store, ("x"):rep(1024)); raises("INVALID", "name", store.drop, store)
    raises("INVALID", '"key"', store.collection, store, "c", { kee = "id" })
    for _, key in ipairs { "", 1, true, {} } do raises("INVALID", "key", store.collection, store, "c", { key = key }) end
  end)

  it("are apart from one another", function()
    local names = { "a", "b", "a\0", "a\0b", "\0", ("n"):rep(1023), ("n"):rep(1022), ("\0"):rep(1023) }
    for i, name in ipairs(names) do
      for k = 1, 3 do given.store:collection(name):put { id = k, of = i } end
    end
    for i, name in ipairs(names) do
      for k, document in ipairs(given.store:collection(name):find()) do same({ id = k, of = i }, document) end
      assert.are.equal(3, given.store:collection(name):delete_where { of = i })
    end
  end)
end)
