local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

on_each_engine("a unique index", function(given)
  local store, c
  before_each(function()
    store = given.store
    c = store:collection("c", { indexes = { "n", { "email", unique = true, name = "by email" }, "z" } })
    c:create { id = "ada", email = "ada@x", n = 1 }
  end)

  it("refuses a second document with a value, naming both, and keeps nothing of it", function()
    local entries = store:stats().entries
    for _, method in ipairs { "create", "put" } do
      raises("EXISTS", { '"by email"', '"ada"', '"eve"' }, c[method], c, { id = "eve", email = "ada@x", n = 7, z = 7 })
    end
    raises("EXISTS", { '"ada"', "12" }, c.update, c, 12, { email = "ada@x", n = 7 }, { upsert = true })
    c:create { id = "bob", email = "bob@x", n = 2 }
    raises("EXISTS", { '"ada"', '"bob"' }, c.update, c, "bob", { email = "ada@x", n = 7 })
    raises("EXISTS", { '"ada"', '"bob"' }, c.update, c, "bob", function(document)
      document.email, document.n = "ada@x", 7
      return document
    end)
    raises("EXISTS", nil, c.update_where, c, {}, { email = "same@x", n = 7 })
    c:delete "bob"
    assert.are.equal(entries, store:stats().entries)
    support.none(c:find { where = { n = 7 } })
    same({ "ada" }, ids(c:find { where = { n = 1 } }))
  end)

  it("keeps nothing of it in a transaction that goes on, either", function()
    c:create { id = "bob", email = "bob@x", n = 2 }
    local entries = store:stats().entries
    store:update(function(tx)
      local inside = tx:collection "c"
      raises("EXISTS", nil, inside.create, inside, { id = "eve", email = "ada@x", n = 7, z = 7 })
      raises("EXISTS", nil, inside.put, inside, { id = "bob", email = "ada@x", n = 7, z = 7 })
      raises("EXISTS", nil, inside.update, inside, "bob", { email = "ada@x", n = 7, z = 7 })
    end)
    assert.are.equal(entries, store:stats().entries)
    support.none(c:find { where = { n = 7 } })
    support.none(c:find { where = { z = 7 } })
    same({ "bob" }, ids(c:find { where = { n = 2 } }))
    same({ "bob" }, ids(c:find { where = { email = "bob@x" } }))
  end)

  it("lets a document keep its value, and values move", function()
    c:put { id = "ada", email = "ada@x", n = 2 }
    c:update("ada", { n = 3 })
    c:update_where({ email = "ada@x" }, { ["$inc"] = { n = 1 } })
    c:create { id = "bob", email = "bob@x" }
    store:update(function(tx)
      local inside = tx:collection "c"
      inside:update("ada", { email = larder.remove })
      inside:update("bob", { email = "ada@x" })
      inside:update("ada", { email = "bob@x" })
    end)
    same({ "bob" }, ids(c:find { where = { email = "ada@x" } }))
    c:delete "bob"
    c:create { id = "eve", email = "ada@x" }
    raises("EXISTS", { '"eve"', '"bob"' }, c.create, c, { id = "bob", email = "ada@x" })
  end)

  it("does not count what is missing, null or an empty array", function()
    for i = 1, 3 do
      c:create { id = i }
      c:create { id = -i, email = larder.null }
      c:create { id = 10 + i, email = larder.array {} }
      c:create { id = 20 + i, email = larder.array { larder.null } }
    end
    assert.are.equal(10, #c:find { where = { email = larder.null } } + 1)
    c:create { id = 30, email = larder.array { larder.null, "x@x" } }
    raises("EXISTS", "30", c.create, c, { id = 31, email = "x@x" })
    c:create { id = 32, email = {} } -- an empty map is a value
    raises("EXISTS", "32", c.create, c, { id = 33, email = {} })
    c:create { id = 34, email = false }
    raises("EXISTS", "34", c.create, c, { id = 35, email = false })
  end)

  it("compares values as queries do", function()
    c:create { id = 1, email = 1 }
    raises("EXISTS", nil, c.create, c, { id = 2, email = 1.0 })
    c:create { id = 3, email = { a = 1, b = larder.array { 1 } } }
    raises("EXISTS", nil, c.create, c, { id = 4, email = { b = larder.array { 1.0 }, a = 1 } })
    c:create { id = 5, email = 0 / 0 }
    raises("EXISTS", nil, c.create, c, { id = 6, email = 0 / 0 })
    c:create { id = 7, email = "1" }
    c:create { id = 8, email = "ada@x\0" }
    c:create { id = 9, email = "ada@" }
    c:create { id = 10, email = true }
  end)

  it("looks into arrays: within one document a value may stand twice", function()
    c:create { id = 1, email = larder.array { "a", "b", "a" } }
    for _, email in ipairs { "a", "b", larder.array { "c", "b" } } do
      raises("EXISTS", { "1", "2" }, c.create, c, { id = 2, email = email })
    end
    c:update(1, { ["$pull"] = { email = "b" } })
    c:create { id = 2, email = larder.array { "c", "b" } }
    raises("EXISTS", { "1", "2" }, c.update, c, 1, { ["$push"] = { email = "c" } })
  end)

  it("over several fields asks for all of them", function()
    local d = store:collection("d", { indexes = { { "a", "-b", unique = true } } })
    d:create { id = 1, a = 1, b = 1 }
    d:create { id = 2, a = 1, b = 2 }
    d:create { id = 3, a = 2, b = 1 }
    raises("EXISTS", { "1", "4" }, d.create, d, { id = 4, a = 1, b = 1 })
    for i = 5, 8 do
      d:create { id = i, a = 1 }
      d:create { id = -i, b = 1, a = larder.null }
      d:create { id = 10 + i, a = 1, b = larder.array {} }
    end
    d:create { id = 20, a = larder.array { 5, 6 }, b = larder.array { 7, larder.null } }
    d:create { id = 21, a = 5 }
    raises("EXISTS", { "20", "22" }, d.create, d, { id = 22, a = larder.array { 0, 6 }, b = 7 })
  end)

  it("with a filter is for what passes it", function()
    local d = store:collection("d", { indexes = { { "a", unique = true, where = { open = true } } } })
    d:create { id = 1, a = 1, open = true }
    d:create { id = 2, a = 1, open = false }
    raises("EXISTS", { "1", "2" }, d.update, d, 2, { open = true })
    d:update(1, { open = false })
    d:update(2, { open = true })
    raises("EXISTS", { "2", "3" }, d.create, d, { id = 3, a = 1, open = true })
  end)
end)
