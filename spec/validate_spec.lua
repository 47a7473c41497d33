local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("validate", function(given)
  local plans, asked

  --- A cost is a number from 0; title is a string.
  local function validate(doc)
    asked[#asked + 1] = doc
    assert(type(doc.title) == "string", "the title is missing")
    if type(doc.cost) ~= "number" then return nil, "the cost is no number" end
    return doc.cost >= 0
  end

  before_each(function()
    asked = {}
    plans = given.store:collection("plans", { validate = validate })
    plans:create { id = 1, title = "a", cost = 1 }
    plans:create { id = 2, title = "b", cost = 0.5 }
    asked = {}
  end)

  local function unchanged()
    same({ { id = 1, title = "a", cost = 1 }, { id = 2, title = "b", cost = 0.5 } }, (plans:find()))
    assert.are.equal(2, plans:count())
  end

  it("gets the complete document as it will be stored", function()
    local made = plans:create { title = "c", cost = 3 }
    same({ made }, asked)
    assert.are.equal(36, #made.id)
    plans:put { id = 1, title = "x", cost = 9, when = larder.null }
    plans:update(1, { ["$inc"] = { cost = 1 }, ["$set"] = { ["at.home"] = true } })
    plans:update(1, function(doc) doc.cost = 0 return doc end)
    plans:update(7, { title = "new", cost = 5 }, { upsert = true })
    same({ made, { id = 1, title = "x", cost = 9, when = larder.null },
      { id = 1, title = "x", cost = 10, when = larder.null, at = { home = true } },
      { id = 1, title = "x", cost = 0, when = larder.null, at = { home = true } }, { id = 7, title = "new", cost = 5 } }, asked)
  end)

  it("refuses by false, by nothing and a message, or by raising; nothing is written", function()
    local function refused(reason, f, ...)
      local raised = raises("INVALID", { 'collection "plans"', reason }, f, ...)
      assert.is_not_nil(raised.message:find "document [%d\"]", raised.message)
    end
    refused("the title is missing", plans.create, plans, { id = 3, cost = 1 })
    refused("the cost is no number", plans.create, plans, { id = 3, title = "c" })
    refused("returned false", plans.create, plans, { title = "c", cost = -1 })
    refused("the cost is no number", plans.put, plans, { id = 1, title = "c", cost = "1" })
    refused("returned false", plans.update, plans, 1, { cost = -1 })
    refused("the title is missing", plans.update, plans, 1, { title = larder.remove })
    refused("the title is missing", plans.update, plans, 1, function(doc) doc.title = nil return doc end)
    refused("the title is missing", plans.update, plans, 9, { cost = 1 }, { upsert = true })
    unchanged()
  end)

  it("lets pass what it says nothing about, or anything that is true", function()
    for i, answer in ipairs { function() end, function() return nil end, function() return true, "why" end, function() return 0 end } do
      given.store:collection("plans", { validate = answer })
      plans:put { id = 1, answer = i }
      assert.are.equal(i, plans:get(1).answer)
    end
  end)

  it("tells the reason as it was given, with the cause", function()
    local reason = setmetatable({}, { __tostring = function() return "as a text" end })
    given.store:collection("plans", { validate = function() error(reason) end })
    assert.are.equal(reason, raises("INVALID", { "document 1", "as a text" }, plans.put, plans, { id = 1 }).cause)
    given.store:collection("plans", { validate = function() return false, reason end })
    assert.is_nil(raises("INVALID", "as a text", plans.put, plans, { id = 1 }).cause)
    local silent = setmetatable({}, { __tostring = function() error "never" end })
    given.store:collection("plans", { validate = function() error(silent) end })
    raises("INVALID", 'collection "plans"', plans.put, plans, { id = 1 })
    given.store:collection("plans", { validate = function() error() end })
    raises("INVALID", { "validate", "nil" }, plans.put, plans, { id = 1 })
    unchanged()
    given.store:collection("plans", { validate = function() end })
    assert.is_nil(raises("EXISTS", "1", plans.create, plans, { id = 1 }).cause)
  end)

  it("checks all documents of an update_where before the first is written", function()
    raises("INVALID", { "document 2", "returned false" }, plans.update_where, plans, {}, { ["$inc"] = { cost = -0.75 } })
    raises("INVALID", { "document 1" }, plans.update_where, plans, {}, { title = 1 })
    unchanged()
    given.store:update(function(tx)
      local inside = tx:collection "plans"
      inside:create { id = 0, title = "z", cost = 5 }
      assert.is_false(pcall(inside.update_where, inside, {}, { ["$inc"] = { cost = -2 } }))
      inside:delete(0)
    end)
    unchanged()
    assert.are.equal(2, plans:update_where({}, { ["$inc"] = { cost = 1 } }))
  end)

  it("leaves a transaction usable, and holds in it", function()
    given.store:update(function(tx)
      local inside = tx:collection "plans"
      raises("INVALID", "missing", inside.create, inside, { id = 3 })
      inside:create { id = 4, title = "d", cost = 4 }
    end)
    same({ id = 4, title = "d", cost = 4 }, (plans:get(4)))
    assert.is_nil((plans:get(3)))
  end)

  it("is not asked about what is deleted or read", function()
    plans:find { where = { cost = 1 } }
    plans:delete(1)
    plans:delete_where { cost = 0.5 }
    same({}, asked)
  end)

  it("does not change the document", function()
    given.store:collection("plans", { validate = function(doc) doc.title, doc.id = nil, 99 end })
    same({ id = 1, title = "x" }, plans:put { id = 1, title = "x" })
    same({ id = 1, title = "x" }, (plans:get(1)))
  end)

  it("may neither use the store nor yield", function()
    given.store:collection("plans", { validate = function() plans:get(1) end })
    assert.are.equal("MISUSE", raises("INVALID", "own functions", plans.put, plans, { id = 1 }).cause.code)
    given.store:collection("plans", { validate = function() coroutine.yield() end })
    local thread = coroutine.create(function() plans:put { id = 1 } end)
    local ok, raised = coroutine.resume(thread)
    assert.is_false(ok)
    assert.are.equal("MISUSE", raised.code)
    assert.are.equal("dead", coroutine.status(thread))
    unchanged()
  end)

  it("is replaced by a later handle, and kept by one that has none", function()
    given.store:collection("plans", { indexes = { "cost" } })
    raises("INVALID", "missing", plans.create, plans, {})
    given.store:collection("plans", { validate = function(doc) return doc.fine == true end })
    plans:create { id = 5, fine = true }
    raises("INVALID", "document 6", plans.create, plans, { id = 6 })
  end)

  it("holds for other names only where it was declared", function()
    given.store:collection("others"):create { id = 1 }
    given.open():collection("plans"):create { id = 1 }
    same({}, asked)
  end)

  it("survives collections of garbage", function()
    support.with_constant_collection(function()
      for i = 3, 8 do plans:create { id = i, title = "t", cost = i } end
      assert.is_false(pcall(plans.create, plans, { title = {} }))
    end)
    assert.are.equal(8, plans:count())
  end)
end)
