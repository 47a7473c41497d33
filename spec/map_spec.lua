local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a map", function(given)
  local map
  before_each(function() map = given.store:map "seen" end)

  it("gives back what was set, of every kind", function()
    local values = { 1, 2.5, -0.0, "text", "\xff\0", true, false, larder.null, {}, larder.array {},
      { 1, { a = { 2 } } }, { [1.5] = 1, x = 2 } }
    for i, value in ipairs(values) do
      assert.is_true(map:set(i, value))
      same(value, map:get(i))
      assert.is_true(map:has(i))
    end
    assert.are.equal(12, map:count())
  end)

  it("is nil where nothing is", function()
    assert.is_nil(map:get "a")
    assert.is_false(map:has "a")
    assert.is_false(map:delete "a")
    assert.are.equal(0, map:count())
    same({}, { map:first() } )
    for _ in map:range() do error "a key in an empty map" end
  end)

  it("replaces, and with if_absent does not", function()
    assert.is_true(map:set("a", 1))
    assert.is_true(map:set("a", 2))
    assert.is_false(map:set("a", 3, { if_absent = true }))
    assert.are.equal(2, map:get "a")
    assert.is_true(map:set("b", larder.null, { if_absent = true }))
    assert.is_false(map:set("b", 1, { if_absent = true }))
    assert.are.equal(2, map:count())
  end)

  it("deletes once", function()
    map:set("a", 1)
    map:set("b", 1)
    assert.is_true(map:delete "a")
    assert.is_false(map:delete "a")
    assert.are.equal(1, map:count())
    assert.is_nil(map:get "a")
  end)

  it("keeps apart keys that look alike", function()
    local keys = { "1", 1, "", "\0", "\0\0", "\0\xff", "\xff", "\xff\xff", -1, 0, math.maxinteger, math.mininteger,
      { "1", 1 }, { 1, "1" }, { 1, 1 }, { "", "" }, { "", "", "" }, { "a", "b" }, "a", "ab", "a\0b", { "a", "b", 0 },
      ("x"):rep(1023), ("x"):rep(1022) .. "y", { ("x"):rep(1023), ("x"):rep(1023) }, { ("x"):rep(1023), 1 }, ("\0"):rep(1023) }
    for i, key in ipairs(keys) do assert.is_true(map:set(key, i, { if_absent = true })) end
    for i, key in ipairs(keys) do assert.are.equal(i, map:get(key)) end
    assert.are.equal(#keys, map:count())
    local back = {}
    for key, i in map:range() do back[i] = key end
    same(keys, back)
  end)

  it("takes a tuple of one for the part, and gives the part back", function()
    map:set({ "a" }, 1)
    assert.are.equal(1, map:get "a")
    assert.are.equal("a", (map:first()))
    map:set(larder.array { 7 }, 2)
    assert.are.equal(2, map:get(7))
    assert.are.equal("integer", math.type((map:first())))
    map:set(larder.array { 7, "b" }, 3)
    same({ 7, "b" }, (map:after(7)))
  end)

  it("has neighbours", function()
    for _, key in ipairs { "b", "d", 3, { "b", 1 } } do map:set(key, key) end
    same({ 3, 3 }, { map:first() })
    same({ "d", "d" }, { map:last() })
    same({ "b", "b" }, { map:after(3) })
    same({ { "b", 1 }, { "b", 1 } }, { map:after "b" })
    same({ "d", "d" }, { map:after "c" })
    same({ "b", "b" }, { map:before { "b", 1 } })
    same({ { "b", 1 }, { "b", 1 } }, { map:before "d" })
    assert.is_nil(map:before(3))
    assert.is_nil(map:after "d")
    same({ "d", "d" }, { map:before(("x"):rep(1000)) })
  end)

  it("counts with increment", function()
    assert.are.equal(1, map:increment "hits")
    assert.are.equal(43, map:increment("hits", 42))
    assert.are.equal(-7, map:increment("hits", -50))
    assert.are.equal(0, map:increment("zero", 0))
    assert.are.equal("integer", math.type(map:get "zero"))
    assert.are.equal(2, map:count())
    assert.are.equal(math.mininteger, map:increment("least", math.mininteger))
  end)

  it("does not increment what is no integer, nor past the integers", function()
    for i, value in ipairs { 1.0, "1", larder.null, true, {}, { 1 } } do
      map:set({ "v", i }, value)
      raises("INVALID", { '{"v", ' .. i .. "}", "no integer" }, map.increment, map, { "v", i })
      same(value, map:get { "v", i })
    end
    map:set("most", math.maxinteger - 1)
    assert.are.equal(math.maxinteger, map:increment "most")
    raises("INVALID", { '"most"', "past" }, map.increment, map, "most")
    raises("INVALID", "past", map.increment, map, "most", math.maxinteger)
    assert.are.equal(math.maxinteger, map:get "most")
    for _, n in ipairs { 1.0, 1.5, "1", true, {} } do raises("INVALID", "n: ", map.increment, map, "n", n) end
    assert.is_false(map:has "n")
  end)

  it("refuses keys that are none, and names them", function()
    local long = ("x"):rep(1024)
    for _, method in ipairs { "get", "has", "delete", "increment", "before", "after", "set" } do
      local function refused(code, text, key) raises(code, { "key", text }, map[method], map, key, 1) end
      refused("INVALID", "float (1.5)", 1.5)
      refused("INVALID", "float (1.0)", 1.0)
      refused("INVALID", "nan", 0 / 0)
      refused("INVALID", "boolean", true)
      refused("INVALID", "nil", nil)
      refused("INVALID", "userdata", larder.null)
      refused("INVALID", "empty tuple", {})
      refused("INVALID", "array", { a = 1 })
      refused("INVALID", "array", { 1, 2, a = 1 })
      refused("INVALID", "gaps", { 1, nil, 3 })
      refused("INVALID", "key[2]: expected a string or an integer, got a table", { 1, { 2 } })
      refused("INVALID", "key[1]: expected a string or an integer, got a float (0.5)", { 0.5 })
      refused("TOOBIG", "1023", long)
      refused("TOOBIG", "key[2]", { "a", long })
    end
    assert.are.equal(0, map:count())
  end)

  it("refuses values that cannot be stored, and options that are none", function()
    raises("INVALID", "nil", map.set, map, "a", nil)
    raises("INVALID", "nil", map.set, map, "a")
    raises("INVALID", "a[1]", map.set, map, "a", { a = { print } })
    raises("INVALID", '"if_absent"', map.set, map, "a", 1, { if_absnt = true })
    raises("INVALID", "if_absent", map.set, map, "a", 1, { if_absent = 1 })
    assert.is_false(map:has "a")
  end)

  it("refuses names that are none", function()
    raises("INVALID", "empty", given.store.map, given.store, "")
    raises("INVALID", "name", given.store.map, given.store)
    raises("INVALID", "name", given.store.map, given.store, 1)
    raises("TOOBIG", "1023", given.store.map, given.store, ("x"):rep(1024))
    raises("INVALID", "colon", map.get, given.store, "a")
  end)

  it("is apart from others, whatever the names", function()
    local names = { "a", "b", "a\0", "a\0b", "\0", "\xff", "\xff\xff", ("n"):rep(1023), ("n"):rep(1022), ("\0"):rep(1023) }
    for i, name in ipairs(names) do
      for k = 1, 3 do given.store:map(name):set(k, i) end
    end
    for i, name in ipairs(names) do
      local got = {}
      for key, value in given.store:map(name):range() do got[#got + 1] = { key, value } end
      same({ { 1, i }, { 2, i }, { 3, i } }, got)
    end
    for i, name in ipairs(names) do
      assert.are.equal(3, given.store:map(name):delete_range {})
      assert.are.equal(i == #names and 0 or 3, given.store:map(names[#names]):count())
    end
  end)
end)

on_each_engine("a map in a transaction", function(given)
  it("is all or nothing, with other things in the store", function()
    local map = given.store:map "m"
    pcall(given.store.update, given.store, function(tx)
      tx:map("m"):set("a", 1)
      tx:map("m"):increment "n"
      tx:rooms():save { roomName = "r" }
      assert.are.equal(2, tx:map("m"):count())
      assert.are.equal(0, map:count())
      error "no"
    end)
    assert.are.equal(0, map:count())
    given.store:update(function(tx)
      tx:map("m"):set("a", 1)
      pcall(tx.update, tx, function(inner)
        inner:map("m"):set("b", 1)
        error "no"
      end)
    end)
    assert.are.equal(1, map:count())
    assert.is_false(map:has "b")
  end)

  it("reads a snapshot in a view, and does not write there", function()
    local map = given.store:map "m"
    map:set("a", 1)
    given.store:view(function(tx)
      map:set("b", 1)
      map:delete "a"
      assert.are.equal(1, tx:map("m"):get "a")
      same({ "a" }, support.collect(tx:map("m"):range()))
      raises("MISUSE", nil, tx:map("m").set, tx:map "m", "a", 1)
      raises("MISUSE", nil, tx:map("m").delete_range, tx:map "m", {})
    end)
    same({ "b" }, support.collect(map:range()))
  end)

  it("goes on after an error with what it had", function()
    given.store:update(function(tx)
      local map = tx:map "m"
      map:set("a", "text")
      raises("INVALID", nil, map.increment, map, "a")
      map:set("b", 2)
    end)
    assert.are.equal(2, given.store:map("m"):count())
  end)

  it("raises CLOSED when it or the store has ended, MISUSE beside an open write", function()
    local tx = given.store:begin "write"
    local inside, outside = tx:map "m", given.store:map "m"
    raises("MISUSE", "tx", outside.set, outside, "a", 1)
    tx:rollback()
    raises("CLOSED", nil, inside.get, inside, "a")
    outside:set("a", 1)
    given.store:close()
    raises("CLOSED", nil, outside.get, outside, "a")
    assert.are.equal('larder.map: "m" (closed)', tostring(outside))
  end)
end)

describe("a map on lmdb", function()
  after_each(support.remove_folders)

  it("is there when the store is opened again", function()
    local path = support.folder() .. "/store"
    local store = larder.open { engine = "lmdb", path = path }
    store:map("m"):set({ "a", 1 }, { deep = { 1 } })
    store:close()
    store = larder.open { engine = "lmdb", path = path }
    same({ deep = { 1 } }, store:map("m"):get { "a", 1 })
    assert.are.equal(1, store:map("m"):count())
    store:close()
  end)
end)
