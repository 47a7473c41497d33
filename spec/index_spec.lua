-- What writes keep in an index, and that it never changes an answer. With random queries: collection_random_spec.lua.
local larder = require "larder"
local support = require "support"

local on_each_engine, same = support.on_each_engine, support.same

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

on_each_engine("an index", function(given)
  local store, c
  before_each(function()
    store = given.store
    c = store:collection("c", { indexes = { "a" } })
  end)

  local function found(a) return ids(c:find { where = { a = a } }) end

  it("is kept by every kind of write", function()
    local entries = store:stats().entries
    c:create { id = 1, a = 1 }
    c:put { id = 2, a = 1 }
    same({ 1, 2 }, found(1))
    c:put { id = 2, a = 2 }
    same({ { 1 }, { 2 } }, { found(1), found(2) })
    c:update(1, { a = 3 })
    c:update(2, function(document) document.a = larder.array { 4, 5 } return document end)
    same({ {}, {}, { 1 }, { 2 }, { 2 } }, { found(1), found(2), found(3), found(4), found(5) })
    c:update(7, { a = 3 }, { upsert = true })
    same({ 1, 7 }, found(3))
    assert.are.equal(2, c:update_where({ a = 3 }, { ["$inc"] = { a = 3 } }))
    same({ {}, { 1, 7 } }, { found(3), found(6) })
    assert.is_true(c:delete(1))
    same({ 7 }, found(6))
    assert.are.equal(1, c:delete_where { a = 5 })
    same({ {}, { 7 } }, { found(4), found(6) })
    assert.are.equal("a", c:explain { where = { a = 6 } }.index)
    c:delete(7)
    assert.are.equal(entries + 1, store:stats().entries) -- the count of documents stays
    store:drop "c"
    c:put { id = 1, a = 1 }
    same({ 1 }, found(1))
  end)

  it("is written and taken back with its transaction", function()
    c:put { id = 1, a = 1 }
    pcall(store.update, store, function(tx)
      tx:collection("c"):put { id = 1, a = larder.array { 2, 3 } }
      tx:collection("c"):put { id = 2, a = 2 }
      same({ 1, 2 }, ids(tx:collection("c"):find { where = { a = 2 } }))
      error "no"
    end)
    same({ { 1 }, {}, {} }, { found(1), found(2), found(3) })
    c:put { id = 2, a = larder.array { 2, 3 } } -- the first that has several values, once more
    same({ 2 }, ids(store:collection("c"):find { where = { a = { ["$gte"] = 2 } } }))
  end)

  it("finds what lacks the field, and what is null", function()
    c:put { id = 1 }
    c:put { id = 2, a = larder.null }
    c:put { id = 3, a = larder.array {} }
    c:put { id = 4, a = larder.array { larder.null, 1 } }
    same({ 1, 2, 4 }, found(larder.null))
    same({ 1, 2, 4 }, found { ["$in"] = { larder.null, 7 } })
    same({ 3, 1, 2, 4 }, ids(c:find { sort = "a", limit = 4 }))
    same({ 4, 1, 2, 3 }, ids(c:find { sort = "-a", limit = 4 }))
  end)

  it("has an entry for each value of an array, once", function()
    local entries = store:stats().entries
    c:put { id = 1, a = larder.array { 1, 2, 1.0 } }
    c:put { id = 2, a = larder.array { 2 } }
    assert.are.equal(2 + 2 + 1 + 1, store:stats().entries - entries) -- documents, values, the count
    same({ 1, 2 }, found(2))
    same({ 1, 2 }, ids(c:find { where = { a = { ["$gte"] = 1 } } }))
    same({ 1, 2 }, ids(c:find { where = { a = { ["$in"] = { 1, 2, 3 } } } }))
    same({ 1 }, ids(c:find { where = { a = { ["$gte"] = 1, ["$lt"] = 2 } } }))
    same({ 1 }, ids(c:find { where = { a = { ["$all"] = { 2, 1 } } } }))
    c:put { id = 3, a = larder.array { 0, 9 } }
    same({ 1, 2, 3 }, ids(c:find { where = { a = { ["$gt"] = 1, ["$lt"] = 9 } } }))
    same({ 3, 1, 2 }, ids(c:find { sort = "a", limit = 10 }))
    same({ 3, 1, 2 }, ids(c:find { sort = "-a", limit = 10 }))
  end)

  it("never refuses a document: two arrays, numbers in paths, values of any kind", function()
    local two = store:collection("two", { indexes = { { "a", "b" }, { "a.0", "-b.1.c" }, "a.1" } })
    two:put { id = 1, a = larder.array { 1, 2, 3 }, b = larder.array { "x", "y" } }
    two:put { id = 2, a = larder.array { 3 }, b = larder.array { 0, { c = "z" } } }
    two:put { id = 3, a = { ["0"] = 5, ["1"] = 6 }, b = { ["1"] = larder.array { { c = "z" }, { c = "w" } } } }
    two:put { id = 4, a = larder.array { larder.array { 1, 2 }, 3 }, b = { c = 0 / 0 } }
    same({ 1 }, ids(two:find { where = { a = 3, b = "y" } }))
    same({ 1, 2, 4 }, ids(two:find { where = { a = 3 } }))
    same({ 1 }, ids(two:find { where = { ["a.0"] = 1 } }))
    same({ 2 }, ids(two:find { where = { ["a.0"] = 3, ["b.1.c"] = "z" } }))
    same({ 3 }, ids(two:find { where = { ["a.0"] = 5, ["b.1.c"] = { ["$lt"] = "x" } } }))
    same({ 1, 3 }, ids(two:find { where = { ["a.1"] = { ["$in"] = { 2, 6 } } } }))
    assert.are.equal("a.0,-b.1.c", two:explain { where = { ["a.0"] = 3, ["b.1.c"] = "z" } }.index)
  end)
end)

on_each_engine("an index that has not all documents", function(given)
  it("has, sparse, no document that lacks its fields", function()
    local c = given.store:collection("c", { indexes = { { "a", "b", sparse = true } } })
    local entries = given.store:stats().entries
    for i = 1, 5 do c:put { id = i, x = i } end
    assert.are.equal(entries + 5 + 1, given.store:stats().entries)
    c:put { id = 6, a = larder.null }
    c:put { id = 7, b = 1 }
    c:put { id = 8, a = 1 }
    assert.are.equal(entries + 8 + 1 + 3, given.store:stats().entries)
    same({ 1, 2, 3, 4, 5, 6, 7 }, ids(c:find { where = { a = larder.null } }))
    same({ 7 }, ids(c:find { where = { a = larder.null, b = 1 } }))
    same({ 8 }, ids(c:find { where = { a = 1 } }))
    same({ 1, 2, 3, 4, 5, 6, 7, 8 }, ids(c:find { sort = { "a", "b" }, limit = 9 }))
  end)

  it("takes documents in and out as they pass its filter or do not", function()
    local c = given.store:collection("c", { indexes = { { "a", where = { open = true, n = { ["$lt"] = 5 } } } } })
    local entries = given.store:stats().entries
    for i = 1, 8 do c:put { id = i, a = i % 2, open = i > 2, n = i } end
    assert.are.equal(entries + 8 + 1 + 2, given.store:stats().entries)
    local query = { where = { a = 1, open = true, n = { ["$lt"] = 5 } } }
    assert.are.equal("a", c:explain(query).index)
    same({ 3 }, ids(c:find(query)))
    c:update_where({ open = false }, { open = true })
    same({ 1, 3 }, ids(c:find(query)))
    c:update_where({}, { ["$inc"] = { n = 2 } })
    same({ 1 }, ids(c:find(query)))
    assert.are.equal(entries + 8 + 1 + 2, given.store:stats().entries)
  end)
end)
