-- update, update_where, delete_where.
local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises
local null, array, remove = larder.null, larder.array, larder.remove

on_each_engine("update by a patch", function(given)
  local plans
  before_each(function()
    plans = given.store:collection "plans"
    plans:put { id = 1, a = 1, deep = { x = 1, y = { 1, 2 } }, list = { 1, 2 } }
  end)

  it("sets fields, reaches inside, deletes", function()
    same({ id = 1, a = 2, b = { c = 1 }, deep = { x = 1, y = { 1, 9 } }, list = { 1, 2 } },
      plans:update(1, { a = 2, b = { c = 1 }, ["deep.y.1"] = 9 }))
    same({ id = 1, b = null, deep = { y = { 1, 9 }, z = { w = true } }, list = array {} },
      plans:update(1, { a = remove, b = null, ["deep.x"] = remove, ["deep.z.w"] = true, list = array {}, missing = remove }))
    same({ id = 1, b = null, deep = { y = { 1, 9 }, z = { w = true } }, list = array {} }, (plans:get(1)))
    same((plans:get(1)), plans:update(1, {}))
  end)

  it("takes MongoDB's operators", function()
    local operators = {
      ["$set"] = { ["deep.x"] = "set" }, ["$unset"] = { ["deep.y"] = true }, ["$inc"] = { a = 4, counter = 1 },
      ["$push"] = { list = { ["$each"] = { 3, 4 } } }, ["$rename"] = { id2 = "id3" },
    }
    same({ id = 1, a = 5, counter = 1, deep = { x = "set" }, list = { 1, 2, 3, 4 } }, plans:update(1, operators))
    same({ id = 1, a = 10, counter = 1, deep = { x = "set" }, list = { 2, 4 }, set = { "x" } }, plans:update(1, {
      ["$mul"] = { a = 2 }, ["$min"] = { counter = 3 }, ["$pull"] = { list = { ["$in"] = { 1, 3 } } }, ["$addToSet"] = { set = "x" } }))
    same({ id = 1, a = 11, counter = 1, deep = { x = "set" }, list = { 2 }, sets = { "x" } }, plans:update(1, {
      ["$max"] = { a = 11 }, ["$pop"] = { list = 1 }, ["$rename"] = { set = "sets" } }))
  end)

  it("makes the document when told so", function()
    same({ id = 2, a = 1, b = { c = 2 } }, plans:update(2, { a = 1, ["b.c"] = 2 }, { upsert = true }))
    same({ id = 2, a = 3, b = { c = 2 } }, plans:update(2, { a = 3 }, { upsert = true }))
    same({ id = "x", n = 5 }, plans:update("x", { ["$inc"] = { n = 5 } }, { upsert = true }))
    same({ id = "y" }, plans:update("y", {}, { upsert = true }))
    assert.is_nil(plans:update(9, { a = 1 }, { upsert = false }))
    assert.are.equal(4, plans:count())
  end)

  it("refuses to change the id", function()
    for _, patch in ipairs { { id = 2 }, { id = remove }, { id = "1" }, { id = 1.0 }, { ["$inc"] = { id = 1 } },
      { ["$rename"] = { id = "b" } }, { ["$unset"] = { id = 1 } }, { ["$rename"] = { list = "id" } } } do
      raises("INVALID", "id", plans.update, plans, 1, patch)
      given.store:update(function(tx)
        raises("INVALID", "id", tx:collection("plans").update_where, tx:collection "plans", { a = 1 }, patch)
        tx:collection("plans"):update(1, { a = 1 }) -- the transaction is as good as before
      end)
    end
    same({ id = 1, a = 1, ok = true, deep = { x = 1, y = { 1, 2 } }, list = { 1, 2 } }, plans:update(1, { id = 1, ok = true }))
  end)

  it("refuses patches that are wrong, says where, and changes nothing", function()
    local _, revision = plans:get(1)
    local function refused(texts, patch)
      raises("INVALID", texts, plans.update, plans, 1, patch)
      raises("INVALID", texts, plans.update, plans, 1, patch, { upsert = true })
      raises("INVALID", texts, plans.update_where, plans, {}, patch)
    end
    refused("$incr", { ["$incr"] = { a = 1 } })
    refused("both", { ["$inc"] = { a = 1 }, b = 1 })
    refused("a.x", { ["a.x"] = 1 })
    refused("deep", { ["deep"] = 1, ["deep.x"] = 2 })
    refused("list", { ["$inc"] = { list = 1 } })
    refused("a", { ["$inc"] = { a = "1" } })
    refused({ "a: ", "function" }, { a = print })
    refused({ "a.b: ", "larder.remove" }, { a = { b = remove } })
    refused({ "larder.remove" }, { ["$set"] = { a = remove } })
    refused({ "larder.remove" }, { a = { remove } })
    refused("a..b", { ["a..b"] = 1 })
    refused("map", { 1, 2 })
    for _, bad in ipairs { 1, "a", true, null } do
      raises("INVALID", "expected a patch", plans.update, plans, 1, bad)
      raises("INVALID", "expected a patch", plans.update_where, plans, {}, bad)
    end
    raises("INVALID", "got nothing", plans.update, plans, 1)
    raises("INVALID", '"upsert"', plans.update, plans, 1, {}, { upser = true })
    raises("INVALID", "upsert", plans.update, plans, 1, {}, { upsert = 1 })
    assert.are.equal(revision, select(2, plans:get(1)))
    assert.are.equal(1, plans:count())
  end)
end)

on_each_engine("update by a function", function(given)
  local plans
  before_each(function()
    plans = given.store:collection "plans"
    plans:put { id = 1, n = 1 }
  end)

  it("stores what it returns", function()
    same({ id = 1, n = 2 }, plans:update(1, function(plan)
      same({ id = 1, n = 1 }, plan)
      plan.n = 2
      return plan
    end))
    same({ id = 1, other = array {} }, plans:update(1, function() return { id = 1, other = array {} } end))
    same({ id = 1, other = array {} }, (plans:get(1)))
    assert.is_nil(plans:update(2, function() error "is not called" end))
  end)

  it("begins with the id alone where nothing is, when told so", function()
    same({ id = 2, n = 1 }, plans:update(2, function(plan)
      same({ id = 2 }, plan)
      plan.n = 1
      return plan
    end, { upsert = true }))
    given.store:collection("people", { key = "name" }):put { name = "x" }
    same({ name = "ada", n = 1 }, given.store:collection("people"):update("ada", function(person)
      same({ name = "ada" }, person)
      person.n = 1
      return person
    end, { upsert = true }))
  end)

  it("keeps nothing when it raises, and passes the error on", function()
    local mine = {}
    local ok, raised = pcall(plans.update, plans, 1, function() error(mine) end)
    assert.is_false(ok)
    assert.are.equal(mine, raised)
    same({ id = 1, n = 1 }, (plans:get(1)))
    assert.are.equal(2, plans:update(1, function(plan) plan.n = 2 return plan end).n)
  end)

  it("refuses what is no document with the same id", function()
    for _, bad in ipairs { 1, "a", true, { n = 1 }, { id = 2 }, { id = "1" }, { id = 1.0 }, { 1 } } do
      raises("INVALID", nil, plans.update, plans, 1, function() return bad end)
      raises("INVALID", nil, plans.update, plans, 9, function() return bad end, { upsert = true })
    end
    raises("INVALID", "got nil", plans.update, plans, 1, function() end)
    raises("INVALID", { "a: ", "function" }, plans.update, plans, 1, function() return { id = 1, a = print } end)
    raises("INVALID", { "a: ", "larder.remove" }, plans.update, plans, 1, function() return { id = 1, a = remove } end)
    same({ { id = 1, n = 1 } }, (plans:find()))
  end)

  it("must not yield", function()
    local run = coroutine.wrap(function()
      return raises("MISUSE", "yield", plans.update, plans, 1, function(plan)
        coroutine.yield()
        return plan
      end)
    end)
    run()
    assert.are.equal(2, plans:update(1, function(plan) plan.n = 2 return plan end).n)
  end)

  it("may read the store, and not write through it", function()
    plans:put { id = 2, n = 40 }
    local sum = plans:update(1, function(plan)
      plan.n = plan.n + plans:get(2).n + #plans:find { where = { n = 40 } }
      raises("MISUSE", nil, plans.put, plans, { id = 3 })
      return plan
    end)
    same({ id = 1, n = 42 }, sum)
    assert.are.equal(2, plans:count())
  end)

  it("nests in a transaction: a failure of it can be survived", function()
    given.store:update(function(tx)
      local inside = tx:collection "plans"
      inside:update(1, function(plan) plan.n = 2 return plan end)
      pcall(inside.update, inside, 1, function(plan)
        plan.n = 3
        error "no"
      end)
      assert.are.equal(2, inside:get(1).n)
      assert.are.equal(1, plans:get(1).n)
    end)
    same({ id = 1, n = 2 }, (plans:get(1)))
  end)

  it("may close the store, which is an error", function()
    raises("CLOSED", nil, plans.update, plans, 1, function(plan)
      given.store:close()
      return plan
    end)
  end)
end)

on_each_engine("update_where and delete_where", function(given)
  local plans
  before_each(function()
    plans = given.store:collection "plans"
    for i = 1, 10 do plans:put { id = i, n = i % 3, v = i == 7 and "seven" or i } end
  end)

  it("change what matches, and count it", function()
    assert.are.equal(3, plans:update_where({ n = 0 }, { n = 9, v = remove }))
    same({ { id = 3, n = 9 }, { id = 6, n = 9 }, { id = 9, n = 9 } }, (plans:find { where = { n = 9 } }))
    assert.are.equal(0, plans:update_where({ n = 0 }, { n = 9 }))
    assert.are.equal(10, plans:update_where({}, { ["$inc"] = { n = 1 } }))
    assert.are.equal(3, plans:delete_where { n = 10 })
    assert.are.equal(0, plans:delete_where { n = 10 })
    assert.are.equal(7, plans:count())
    assert.are.equal(7, plans:delete_where {})
    assert.are.equal(0, plans:count())
  end)

  it("change all or none", function()
    local before = plans:find()
    raises("INVALID", "v", plans.update_where, plans, {}, { ["$inc"] = { v = 1 } })
    same(before, (plans:find()))
    given.store:update(function(tx)
      local inside = tx:collection "plans"
      raises("INVALID", "v", inside.update_where, inside, {}, { ["$inc"] = { v = 1 } })
      same(before, (inside:find()))
      inside:put { id = 11 }
    end)
    assert.are.equal(11, plans:count())
  end)

  it("do not meet what they change again", function()
    assert.are.equal(10, plans:update_where({ n = { ["$lt"] = 100 } }, { ["$inc"] = { n = 1 } }))
    for i, plan in ipairs(plans:find()) do assert.are.equal(i % 3 + 1, plan.n) end
  end)

  it("need a filter, so that a forgotten one does not change all", function()
    raises("INVALID", "{}", plans.delete_where, plans)
    raises("INVALID", "{}", plans.delete_where, plans, nil)
    raises("INVALID", "{}", plans.update_where, plans, nil, { n = 1 })
    raises("INVALID", "where", plans.delete_where, plans, 1)
    raises("INVALID", { "where", "$gtt" }, plans.delete_where, plans, { n = { ["$gtt"] = 1 } })
    raises("INVALID", "got nothing", plans.update_where, plans, {})
    assert.are.equal(10, plans:count())
  end)
end)
