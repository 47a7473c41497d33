local larder = require "larder"
local port = require "larder_port"
local support = require "support"

local on_each_engine, raises = support.on_each_engine, support.raises

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
    local _ <close> = store:begin "write"
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
