local larder = require "larder"
local port = require "larder_port"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function names_of(collection)
  local names = {}
  for i, index in ipairs(collection:indexes()) do names[i] = index.name end
  return names
end

local nine = { "1", "2", "3", "4", "5", "6", "7", "8", "9" }
local many = {}
for i = 1, 65 do many[i] = "f" .. i end

--- What is no declaration, and what its error says.
local bad = {
  { { indexes = "a" }, "indexes: expected a list, got a string" },
  { { indexes = { a = "b" } }, "indexes: expected a list, got a map" },
  { { indexes = true }, "indexes: expected a list" },
  { { indexes = many }, "indexes: more than 64" },
  { { indexes = { "a", "a" } }, 'indexes: two are called "a"' },
  { { indexes = { "a", "b", { "c", name = "a" } } }, 'two are called "a"' },
  { { indexes = { "a,b", { "a", "b" } } }, 'two are called "a,b"' },
  { { indexes = { "a", 1 } }, "indexes[2]: expected a field, or a list of fields, got an integer" },
  { { indexes = { "a", "" } }, "indexes[2]: path" },
  { { indexes = { "-" } }, "indexes[1]: path" },
  { { indexes = { { "a", "b..c" } } }, 'indexes[1]: path "b..c"' },
  { { indexes = { {} } }, "indexes[1]: an index needs a field at least" },
  { { indexes = { { name = "n" } } }, "indexes[1]: an index needs a field at least" },
  { { indexes = { { "a", 2 } } }, "indexes[1]: expected the name of a field, got an integer" },
  { { indexes = { { { "a" } } } }, "indexes[1]: expected the name of a field, got an array" },
  { { indexes = { { [1] = "a", [3] = "c" } } }, "indexes[1]: field 2 is missing" },
  { { indexes = { { "a", [0] = "b" } } }, "indexes[1]: an index has 1 to 8 fields" },
  { { indexes = { { "a", [1.5] = "b" } } }, "indexes[1]: a key that is no option's name" },
  { { indexes = { { "a", [true] = "b" } } }, "indexes[1]: a key that is no option's name" },
  { { indexes = { nine } }, "indexes[1]: an index has 1 to 8 fields" },
  { { indexes = { "a", { "b", uniqe = true } } }, { "indexes[2]: ", '"uniqe"', '"unique"' } },
  { { indexes = { { "a", unique = 1 } } }, "indexes[1]: unique: expected true or false" },
  { { indexes = { { "a", sparse = "yes" } } }, "indexes[1]: sparse: expected true or false" },
  { { indexes = { { "a", name = 1 } } }, "indexes[1]: name: expected a string" },
  { { indexes = { { "a", name = "" } } }, "indexes[1]: name: is empty" },
  { { indexes = { { "a", where = 1 } } }, "indexes[1]: where: expected a filter" },
  { { indexes = { { "a", where = larder.array { 1 } } } }, "indexes[1]: where: expected a filter" },
  { { indexes = { "a", { "b", where = { age = { ["$gtt"] = 1 } } } } }, { "indexes[2]: where: age.$gtt: ", '"$gt"' } },
  { { indexes = { { "b", where = { ["$or"] = { { a = 1 }, { b = { ["$in"] = 1 } } } } } } }, "indexes[1]: where: $or[2].b.$in: " },
  { { indexes = { { "b", where = { ["$or"] = {} } } } }, "indexes[1]: where: $or: " },
  { { indexes = { { "b", where = { f = print } } } }, { "indexes[1].where.f", "function" } },
  { { version = 0 }, "version: expected a whole number from 1" },
  { { version = 1.0 }, "version: expected a whole number from 1" },
  { { key = 1, indexes = { "a" } }, "key: expected the name of a field" },
  { { keys = "id" }, { '"keys"', '"key"' } },
  { { index = { "a" } }, { '"index"', '"indexes"' } },
}

--- Declarations of an index, and what `indexes` tells of each.
local forms = {
  { "a", { name = "a", parts = { "a" } } },
  { { "a" }, { name = "a", parts = { "a" } } },
  { "-a.b.0", { name = "-a.b.0", parts = { "-a.b.0" } } },
  { { "-a", "b" }, { name = "-a,b", parts = { "-a", "b" } } },
  { { [1] = "a", [2] = "b", name = "both" }, { name = "both", parts = { "a", "b" } } },
  { { "a", unique = true, sparse = true }, { name = "a", parts = { "a" }, unique = true, sparse = true } },
  { { "a", unique = false, sparse = false }, { name = "a", parts = { "a" } } },
  { { "a", where = { b = { ["$gt"] = 1 } } }, { name = "a", parts = { "a" }, where = { b = { ["$gt"] = 1 } } } },
  { { "a", where = {} }, { name = "a", parts = { "a" }, where = {} } },
  { { "\xff", "ä b", name = "\0" }, { name = "\0", parts = { "\xff", "ä b" } } },
  { table.move(nine, 1, 8, 1, {}), { name = "1,2,3,4,5,6,7,8", parts = table.move(nine, 1, 8, 1, {}) } },
}

on_each_engine("a declaration", function(given)
  local store
  before_each(function() store = given.store end)

  it("that is bad is refused where it is bad, and nothing is written", function()
    local entries = store:stats().entries
    for _, case in ipairs(bad) do
      raises("INVALID", case[2], store.collection, store, "c", case[1])
      store:update(function(tx) raises("INVALID", case[2], tx.collection, tx, "c", case[1]) end)
    end
    support.none(store:collections())
    assert.are.equal(entries, store:stats().entries)
  end)

  it("is a string, a list, a list with options", function()
    for i, form in ipairs(forms) do
      form[2].ready = true
      same({ form[2] }, store:collection("c" .. i, { indexes = { form[1] } }):indexes())
      same({ form[2] }, store:collection("c" .. i):indexes())
      store:collection("c" .. i, { indexes = { form[1] } })
    end
    support.none(store:collection("none"):indexes())
    support.none(store:collection("none", { indexes = {} }):indexes())
  end)

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

on_each_engine("a declaration in a transaction", function(given)
  local store
  before_each(function()
    store = given.store
    for i = 1, 20 do store:collection("c"):put { id = i, a = i % 3 } end
  end)

  it("is there when it is committed, and used before", function()
    store:update(function(tx)
      tx:collection("c"):put { id = 21, a = 1 }
      local c = tx:collection("c", { indexes = { "a" } })
      assert.are.equal("a", c:explain { where = { a = 1 } }.index)
      assert.are.equal(8, #c:find { where = { a = 1 } })
      support.none(store:collection("c"):indexes())
    end)
    assert.are.equal(8, #store:collection("c"):find { where = { a = 1 } })
    assert.are.equal("a", store:collection("c"):explain { where = { a = 1 } }.index)
  end)

  it("that is rolled back, the outer or a nested one, leaves nothing", function()
    local entries, handle = store:stats().entries, store:collection "c"
    pcall(store.update, store, function(tx)
      tx:collection("c", { indexes = { "a" } }):put { id = 22, a = { 1, 1, 2 } }
      error "no"
    end)
    assert.are.equal(entries, store:stats().entries)
    store:update(function(tx)
      local inside = tx:collection "c"
      pcall(tx.update, tx, function(nested)
        nested:collection("c", { indexes = { "a" } })
        nested:collection("c"):put { id = 22, a = { 1, 2 } }
        error "no"
      end)
      support.none(inside:indexes())
      inside:put { id = 22, a = 1 }
    end)
    support.none(handle:indexes())
    handle:put { id = 23, a = 1 }
    assert.are.equal(9, #handle:find { where = { a = 1 } })
    assert.are.equal(entries + 2, store:stats().entries)
  end)

  it("is dropped and renamed there, or is not", function()
    local c = store:collection("c", { indexes = { "a" } })
    pcall(store.update, store, function(tx)
      assert.is_true(tx:collection("c"):drop_index "a")
      tx:collection("c"):put { id = 24, a = 1 }
      error "no"
    end)
    pcall(store.update, store, function(tx)
      assert.is_true(tx:collection("c"):rename_index("a", "z"))
      tx:collection("c"):put { id = 24, a = 1 }
      error "no"
    end)
    c:put { id = 24, a = 1 }
    assert.are.equal("a", c:explain { where = { a = 1 } }.index)
    assert.are.equal(8, #c:find { where = { a = 1 } })
  end)

  it("that only reads is left for later, and an error where it contradicts", function()
    local entries = store:stats().entries
    store:view(function(tx)
      local c = tx:collection("c", { indexes = { "a" } })
      assert.is_false(c:explain { where = { a = 1 } }.index)
      assert.are.equal(7, #c:find { where = { a = 1 } })
      raises("MISUSE", nil, c.drop_index, c, "a")
    end)
    assert.are.equal(entries, store:stats().entries)
    store:collection("c", { indexes = { "a" } })
    store:view(function(tx)
      raises("INVALID", { '{"a"}', '{"a", unique = true}' }, tx.collection, tx, "c", { indexes = { { "a", unique = true } } })
      assert.are.equal("a", tx:collection("c", { indexes = { "a" } }):explain { where = { a = 1 } }.index)
    end)
  end)

  it("comes not from outside of one that is open", function()
    local tx <close> = store:begin "write"
    raises("MISUSE", "tx", store.collection, store, "c", { indexes = { "a" } })
  end)
end)

describe("a declaration in a store that is read_only", function()
  it("is fine when nothing is to be written", function()
    local directory = assert(port.temp_dir())
    local place = { engine = "lmdb", path = directory .. "/store", durability = "none" }
    do
      local store <close> = larder.open(place)
      store:collection("c", { indexes = { "a" } }):put { id = 1, a = 1 }
    end
    place.read_only = true
    do
      local store <close> = larder.open(place)
      local c = store:collection("c", { indexes = { "a" } })
      assert.are.equal("a", c:explain { where = { a = 1 } }.index)
      raises("MISUSE", "read_only", store.collection, store, "c", { indexes = { "b" } })
      raises("INVALID", "here as", store.collection, store, "c", { indexes = { { "a", unique = true } } })
      raises("MISUSE", "read_only", c.drop_index, c, "a")
    end
    port.remove_dir(directory)
  end)
end)
