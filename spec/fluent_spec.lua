local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises
local q = larder.q

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

on_each_engine("the fluent form", function(given)
  local plans
  before_each(function()
    plans = given.store:collection "plans"
    for i = 1, 12 do plans:put { id = i, n = i % 3, status = i > 6 and "open" or "done" } end
  end)

  it("finds, sorts, limits, selects", function()
    local open = plans:where { status = "open" }
    same({ 7, 8, 9, 10, 11, 12 }, ids(open:all()))
    same({ 8, 11, 7 }, ids(open:sort("-n", "id"):limit(3):all()))
    same({ 8, 11, 7 }, ids(open:sort { "-n", "id" }:limit(3):all()))
    same({ 11, 7 }, ids(open:sort("-n"):limit(2):offset(1):all()))
    same({ { id = 7, n = 1 } }, (open:select("n"):limit(1):all()))
    same({ { id = 7, n = 1 } }, (open:select { "n" }:limit(1):all()))
    same(12, #plans:where():all())
    same(6, #plans:where { n = q.eq(0) | q.eq(1), status = q.prefix "" }:limit(6):all())
  end)

  it("passes cursors through", function()
    local sorted = plans:where {}:sort "-n":limit(7)
    local page, cursor = sorted:all()
    local rest, last = sorted:after(cursor):all()
    same({ 7, 5 }, { #page, #rest })
    assert.is_nil(last)
    same(ids(plans:where {}:sort "-n":all()), table.move(ids(rest), 1, 5, 8, ids(page)))
    same(7, #sorted:after(nil):all())
  end)

  it("gives the first, each one, their number, the distinct values", function()
    local open = plans:where { status = "open" }
    assert.are.equal(12, open:sort "-id":first().id)
    assert.is_nil(plans:where { status = "lost" }:first())
    local got = {}
    for plan in open:sort "-id":limit(4):each() do got[#got + 1] = plan.id end
    same({ 12, 11, 10, 9 }, got)
    assert.are.equal(6, open:count())
    assert.are.equal(12, plans:where {}:count())
    same({ 0, 1, 2 }, open:distinct "n")
  end)

  it("changes and deletes", function()
    assert.are.equal(2, plans:where { status = "open", n = 0 }:update { status = "late", n = larder.remove })
    same({ { id = 9, status = "late" }, { id = 12, status = "late" } }, (plans:where { status = "late" }:all()))
    assert.are.equal(4, plans:where { status = "open" }:sort "n":delete())
    assert.are.equal(8, plans:count())
  end)

  it("does not change all where only a part was meant", function()
    for _, cut in ipairs { plans:where {}:limit(1), plans:where {}:offset(1), plans:where {}:after "x" } do
      raises("INVALID", "does not go with", cut.delete, cut)
      raises("INVALID", "does not go with", cut.update, cut, { a = 1 })
      raises("INVALID", "does not go with", cut.count, cut)
      raises("INVALID", "does not go with", cut.distinct, cut, "n")
    end
    assert.are.equal(12, plans:count())
  end)

  it("makes a new query at each step", function()
    local base = plans:where { status = "open" }
    local few = base:limit(2)
    local sorted = few:sort "-id"
    same({ 7, 8, 9, 10, 11, 12 }, ids(base:all()))
    same({ 7, 8 }, ids(few:all()))
    same({ 12, 11 }, ids(sorted:all()))
  end)

  it("works in a transaction", function()
    given.store:update(function(tx)
      local inside = tx:collection "plans"
      assert.are.equal(6, inside:where { status = "open" }:delete())
      assert.are.equal(6, plans:where { status = "open" }:count())
      for plan in inside:where {}:each() do inside:update(plan.id, { seen = true }) end
    end)
    assert.are.equal(6, plans:where { seen = true }:count())
  end)

  it("refuses what is wrong, as the methods do", function()
    raises("INVALID", "expected a filter", plans.where, plans, 5)
    local bad = plans:where { n = { ["$gtt"] = 1 } }
    for _, method in ipairs { "all", "first", "each", "count", "delete" } do raises("INVALID", { "where", "$gtt" }, bad[method], bad) end
    local query = plans:where {}
    raises("INVALID", "limit", function() return query:limit(-1):all() end)
    raises("INVALID", "sort", function() return query:sort(1):all() end)
    raises("INVALID", "select", function() return query:select():all() end)
    raises("INVALID", "expected a patch", query.update, query)
    assert.are.equal('larder.query on larder.collection: "plans"', tostring(query))
    given.store:close()
    raises("CLOSED", nil, query.all, query)
  end)
end)
