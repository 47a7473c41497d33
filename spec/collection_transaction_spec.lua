local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a collection in a transaction", function(given)
  it("is all or nothing, with other things in the store", function()
    local ok = pcall(given.store.update, given.store, function(tx)
      tx:collection("plans", { key = "id" }):create { id = 1 }
      tx:rooms():save { roomName = "r" }
      assert.are.equal(1, tx:collection("plans"):count())
      assert.are.equal(0, given.store:collection("plans"):count())
      error "no"
    end)
    assert.is_false(ok)
    support.none(given.store:collections())
    assert.is_false(given.rooms:has "r")
  end)

  it("does not write in a view, nor through the store beside it", function()
    given.store:collection("plans"):put { id = 1 }
    given.store:view(function(tx)
      local plans = tx:collection "plans"
      assert.is_true(plans:has(1))
      for method, arguments in pairs { put = { { id = 1 } }, create = { { id = 2 } }, delete = { 1 }, update = { 1, {} },
        update_where = { {}, {} }, delete_where = { {} } } do
        raises("MISUSE", nil, plans[method], plans, table.unpack(arguments))
      end
      raises("MISUSE", nil, plans.update, plans, 1, function(plan) return plan end)
      raises("MISUSE", nil, tx.drop, tx, "plans")
    end)
    given.store:update(function()
      raises("MISUSE", "tx", given.store:collection("plans").put, given.store:collection "plans", { id = 3 })
    end)
    assert.are.equal(1, given.store:collection("plans"):count())
  end)

  it("ends with it, and with the store", function()
    local plans, inside = given.store:collection "plans", nil
    given.store:update(function(tx) inside = tx:collection "plans" end)
    raises("CLOSED", nil, inside.get, inside, 1)
    raises("CLOSED", nil, inside.update, inside, 1, function() end)
    assert.truthy(tostring(inside):find("closed", 1, true))
    given.store:close()
    for _, method in ipairs { "get", "put", "create", "find", "first", "each", "count", "distinct", "update_where", "update" } do
      raises("CLOSED", nil, plans[method], plans, { id = 1 }, {})
    end
    assert.are.equal('larder.collection: "plans" (closed)', tostring(plans))
  end)

  it("is there again when the store is opened again", function()
    if not given.engine.durable then return end
    local place = given.engine.place()
    local function open() return larder.open(place) end
    local first <close> = open()
    first:collection("plans", { key = "n" }):put { n = 1 }
    local _, revision = first:collection("plans"):get(1)
    first:close()
    local second <close> = open()
    same({ { n = 1 }, revision }, { second:collection("plans"):get(1) })
    raises("INVALID", '"n"', second.collection, second, "plans", { key = "id" })
    assert.are.equal(1, second:collection("plans"):count())
  end)
end)

describe("collections under constant collection of garbage", function()
  it("keep what they need", function()
    local store <close> = larder.open "memory:"
    support.with_constant_collection(function()
      for i = 1, 20 do store:collection("c"):put { id = i, n = i } end
      local total = 0
      for document in store:collection("c"):where({ n = larder.q.gt(3) }):sort("-n"):each() do total = total + document.n end
      assert.are.equal(204, total)
      store:collection("c"):update(3, function(document) collectgarbage() document.n = 0 return document end)
      assert.are.equal(0, store:collection("c"):get(3).n)
    end)
  end)
end)
