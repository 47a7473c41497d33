local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function names_of(collection)
  local names = {}
  for i, index in ipairs(collection:indexes()) do names[i] = index.name end
  return names
end

local many = {}
for i = 1, 65 do many[i] = "f" .. i end

on_each_engine("a declaration", function(given)
  local store
  before_each(function() store = given.store end)

  it("is shared by all handles, and grows", function()
    local c = store:collection("c", { indexes = { "a" } })
    store:collection("c", { indexes = { "b", "a" } })
    store:collection("c", { indexes = {} })
    store:collection("c", {})
    same({ "a", "b" }, names_of(c))
    c:put { id = 1, a = 1, b = 1 }
    assert.are.equal("b", c:explain { where = { b = 1 } }.index)
    assert.are.equal("a", c:explain { where = { a = 1 } }.index)
    raises("INVALID", "64", store.collection, store, "c", { indexes = table.move(many, 1, 63, 1, {}) })
    same({ "a", "b" }, names_of(c))
  end)

  it("that differs is an error that shows both", function()
    local c = store:collection("c", { indexes = { { "a", name = "i", where = { b = 1, c = 2 } } } })
    local function differs(index, ...)
      index.name = "i"
      raises("INVALID", { '"c"', '"i"', '{"a", where = {', ..., "replace = true" }, store.collection, store, "c", { indexes = { index } })
    end
    differs({ "a" }, 'here as {"a"}')
    differs({ "-a", where = { b = 1, c = 2 } }, 'here as {"-a", where')
    differs({ "a", "b", where = { b = 1, c = 2 } }, 'here as {"a", "b", where')
    differs({ "a", unique = true, where = { b = 1, c = 2 } }, 'here as {"a", unique = true, where')
    differs({ "a", sparse = true, where = { b = 1, c = 2 } }, 'here as {"a", sparse = true, where')
    differs({ "a", where = { b = 1, c = 3 } }, '"c":3')
    store:collection("c", { indexes = { { "a", name = "i", where = { c = 2, b = 1.0 } } } })
    same({ "i" }, names_of(c))
  end)

  it("is replaced on request; handles of the one before find out", function()
    local before = store:collection("c", { indexes = { "x", { "a", name = "i" } } })
    for i = 1, 20 do before:put { id = i, a = i % 5, b = i % 4, x = 1 } end
    local entries = store:stats().entries
    local after = store:collection("c", { indexes = { { "b", name = "i" } }, replace = true })
    assert.are.equal(entries, store:stats().entries)
    same({ "x", "i" }, names_of(after))
    assert.are.equal("i", after:explain { where = { b = 1 } }.index)
    assert.are.equal(5, #after:find { where = { b = 1 } })
    raises("INVALID", { '{"b"}', '{"a"}' }, before.put, before, { id = 1 })
    raises("INVALID", { '{"b"}', '{"a"}' }, before.delete, before, 1)
    raises("INVALID", { '{"b"}', '{"a"}' }, before.find, before)
    raises("INVALID", { '{"b"}', '{"a"}' }, before.drop_index, before, "i")
    assert.are.equal(5, #store:collection("c"):find { where = { b = 1 } })
  end)

  it("is never replaced in its key", function()
    store:collection("c", { key = "name" })
    raises("INVALID", { '"name"', '"id"' }, store.collection, store, "c", { key = "id", replace = true })
  end)

  it("loses an index on request, with all its rows", function()
    store:collection("other", { indexes = { "a" } }):put { id = 1, a = 1 }
    local plain = store:collection "c"
    for i = 1, 20 do plain:put { id = i, a = { i, i + 1 }, b = i } end
    local entries = store:stats().entries
    local c = store:collection("c", { indexes = { "a", "b", { "a", "b" } } })
    assert.are.equal(entries + 40 + 20 + 40, store:stats().entries)
    assert.is_true(c:drop_index "a")
    assert.is_false(c:drop_index "a")
    same({ "b", "a,b" }, names_of(c))
    assert.are.equal(entries + 60, store:stats().entries)
    assert.are.equal("a,b", c:explain { where = { a = 5 } }.index)
    c:put { id = 5, a = 5 }
    same({ 4, 5 }, { c:find { where = { a = 5 } }[1].id, c:find { where = { a = 5 } }[2].id })
    assert.is_true(c:drop_index "a,b" and c:drop_index "b")
    assert.are.equal(entries, store:stats().entries)
    support.none(c:indexes())
    assert.are.equal(2, #c:find { where = { a = 5 } })
    assert.are.equal(1, #store:collection("other"):find { where = { a = 1 } })
  end)

  it("calls an index by another name on request", function()
    local c = store:collection("c", { indexes = { "a", { "b", unique = true } } })
    c:put { id = 1, a = 1, b = 1 }
    assert.is_true(c:rename_index("b", "beta"))
    assert.is_false(c:rename_index("b", "gamma"))
    raises("EXISTS", '"a"', c.rename_index, c, "beta", "a")
    raises("INVALID", "empty", c.rename_index, c, "beta", "")
    raises("INVALID", "to", c.rename_index, c, "beta")
    same({ "a", "beta" }, names_of(c))
    assert.are.equal("beta", c:explain { where = { b = 1 } }.index)
    raises("EXISTS", { '"beta"', "1", "2" }, c.create, c, { id = 2, b = 1 })
    assert.is_true(c:rename_index("a", ("n"):rep(2000)))
    same({ ("n"):rep(2000), "beta" }, names_of(c))
    assert.is_true(c:drop_index "beta")
    c:create { id = 2, b = 1 }
  end)

  it("of what is not there is not made by asking for its indexes", function()
    local c = store:collection "c"
    store:update(function(tx)
      assert.is_false(tx:collection("c"):drop_index "a")
      assert.is_false(tx:collection("c"):rename_index("a", "b"))
    end)
    assert.is_false(c:drop_index "a" or c:rename_index("a", "b"))
    support.none(c:indexes())
    support.none(store:collections())
    for _, method in ipairs { "drop_index", "rename_index" } do raises("INVALID", "expected a string", c[method], c) end
  end)

  it("goes with the collection, and comes again with the next write", function()
    local c = store:collection("c", { indexes = { "a" } })
    c:put { id = 1, a = 1 }
    store:drop "c"
    support.none(c:indexes())
    assert.is_false(c:explain { where = { a = 1 } }.index)
    c:put { id = 2, a = 1 }
    same({ 2 }, { c:find { where = { a = 1 } }[1].id })
    assert.are.equal("a", c:explain { where = { a = 1 } }.index)
  end)
end)
