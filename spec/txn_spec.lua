local support = require "support"

local on_each_engine, same, none, raises = support.on_each_engine, support.same, support.none, support.raises

local function put(place, ...)
  for _, name in ipairs { ... } do place:rooms():save { roomName = name } end
end

--- The names that are there, as one string.
local function names(place)
  return table.concat(support.collect(place:rooms():names()), " ")
end

on_each_engine("store:update", function(given)
  it("commits when the function returns, and passes its results through", function()
    local results = table.pack(given.store:update(function(tx)
      put(tx, "a", "b")
      return 1, nil, "x", nil
    end))
    same({ n = 4, [1] = 1, [3] = "x" }, results)
    assert.are.equal("a b", names(given.store))
    assert.are.equal(0, select("#", given.store:update(function() end)))
  end)

  it("passes many results through", function()
    local list = {}
    for i = 1, 5000 do list[i] = i end
    same(list, { given.store:update(function() return table.unpack(list) end) })
  end)

  it("rolls back when the function raises, and raises the same", function()
    put(given.store, "kept")
    for _, raised in ipairs { "text", {}, setmetatable({}, { __tostring = error }), 5, true, print } do
      local ok, got = pcall(given.store.update, given.store, function(tx)
        put(tx, "a")
        tx:rooms():delete "kept"
        error(raised, 0)
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(raised, got))
      assert.are.equal("kept", names(given.store))
    end
    same({ n = 2, [1] = false }, table.pack(pcall(given.store.update, given.store, function() error(nil) end)))
  end)

  it("rolls back when a method in it raises", function()
    raises("NOTFOUND", "nobody", given.store.update, given.store, function(tx)
      put(tx, "a")
      tx:rooms():rate("nobody", "jo", "m", "like", 1)
    end)
    assert.are.equal("", names(given.store))
  end)

  it("calls the function once when there is no conflict", function()
    local calls = 0
    given.store:update(function() calls = calls + 1 end)
    pcall(given.store.update, given.store, function() calls = calls + 1 error "x" end)
    assert.are.equal(2, calls)
  end)

  it("sees its own writes, which nobody else sees before the end", function()
    given.store:update(function(tx)
      put(tx, "a")
      tx:rooms():rate("a", "jo", "m", "like", 1)
      same({ mediaId = "m", users = { "jo", "al" }, matchedAt = 2 }, tx:rooms():rate("a", "al", "m", "like", 2).match)
      same(2, tx:rooms():stats().likes)
      assert.are.equal("a", names(tx))
      assert.are.equal("", names(given.store))
      assert.is_false(given.rooms:has "a")
      given.store:view(function(view) assert.are.equal("", names(view)) end)
    end)
    assert.are.equal("a", names(given.store))
    same({ jo = 1, al = 1 }, given.rooms:get("a").userProgress)
  end)

  it("refuses what is no function", function()
    for _, other in ipairs { 5, "x", true, {} } do raises("INVALID", "function", given.store.update, given.store, other) end
    raises("INVALID", "function", given.store.update, given.store)
    raises("INVALID", "function", given.store.view, given.store)
  end)
end)

on_each_engine("a yield in store:update", function(given)
  it("is MISUSE and rolls back", function()
    local thread = coroutine.create(function()
      given.store:update(function(tx)
        put(tx, "a")
        coroutine.yield()
        put(tx, "b")
      end)
    end)
    local ok, raised = coroutine.resume(thread)
    assert.is_false(ok)
    assert.are.equal("MISUSE", raised.code)
    assert.is_not_nil(raised.message:find("yield", 1, true))
    put(given.store, "c")
    assert.are.equal("c", names(given.store))
  end)

  it("is fine in a coroutine that the function runs to its end itself", function()
    given.store:update(function(tx)
      local function generate()
        for i = 1, 3 do
          put(tx, "r" .. i)
          coroutine.yield(i)
        end
      end
      for _ in coroutine.wrap(generate) do assert.is_false(given.rooms:has "r1") end
    end)
    assert.are.equal("r1 r2 r3", names(given.store))
  end)
end)

on_each_engine("store:view", function(given)
  it("is one snapshot, and passes results through", function()
    put(given.store, "a")
    local results = table.pack(given.store:view(function(tx)
      put(given.store, "b")
      given.rooms:rate("a", "jo", "m", "like", 1)
      assert.are.equal("a", names(tx))
      same({ roomName = "a" }, tx:rooms():get "a")
      return nil, 2, nil
    end))
    same({ n = 3, [2] = 2 }, results)
    assert.are.equal("a b", names(given.store))
  end)

  it("raises what the function raises, and can be nested", function()
    local raised = {}
    local _, got = pcall(given.store.view, given.store, function() error(raised) end)
    assert.are.equal(raised, got)
    given.store:view(function(outer)
      put(given.store, "a")
      given.store:view(function(later)
        assert.are.equal("a", names(later))
        outer:view(function(inner) assert.are.equal("", names(inner)) end)
      end)
      assert.are.equal("", names(outer))
    end)
  end)

  it("refuses writes with MISUSE", function()
    put(given.store, "a")
    given.store:view(function(tx)
      local rooms = tx:rooms()
      raises("MISUSE", nil, rooms.save, rooms, { roomName = "b" })
      raises("MISUSE", nil, rooms.delete, rooms, "a")
      raises("MISUSE", nil, rooms.rate, rooms, "a", "jo", "m", "like", 1)
      raises("MISUSE", nil, rooms.expire, rooms, { idle = 0 })
      raises("MISUSE", nil, tx.update, tx, function() end)
      raises("MISUSE", nil, tx.begin, tx, "write")
      assert.are.equal("a", names(tx))
    end)
    assert.are.equal("a", names(given.store))
    none(given.rooms:matches "a")
  end)
end)

on_each_engine("a second write transaction", function(given)
  local function all_misused()
    local store, rooms = given.store, given.rooms
    raises("MISUSE", "tx", rooms.save, rooms, { roomName = "x" })
    raises("MISUSE", "tx", rooms.delete, rooms, "kept")
    raises("MISUSE", "tx", rooms.rate, rooms, "kept", "jo", "m", "like", 1)
    raises("MISUSE", "tx", rooms.expire, rooms, { idle = 0 })
    raises("MISUSE", "tx", store.update, store, function() end)
    raises("MISUSE", "tx", store.begin, store, "write")
  end

  it("is MISUSE at once, and says to use tx", function()
    put(given.store, "kept")
    given.store:update(function(tx)
      put(tx, "a")
      all_misused()
      tx:update(all_misused)
      given.store:view(all_misused)
      coroutine.wrap(all_misused)()
    end)
    local tx <close> = given.store:begin "write"
    all_misused()
    put(tx, "b")
    tx:commit()
    assert.are.equal("a b kept", names(given.store))
  end)

  it("is fine once the first has ended, in whatever way", function()
    given.store:begin("write"):rollback()
    pcall(given.store.update, given.store, error)
    given.store:update(function() end)
    put(given.store, "a")
  end)

  it("is fine in another store", function()
    local other = given.open()
    given.store:update(function(tx)
      put(other, "a")
      other:update(function(other_tx) put(other_tx, "b") put(tx, "c") end)
    end)
    assert.are.equal("a b", names(other))
    assert.are.equal("c", names(given.store))
  end)
end)

on_each_engine("tx:update", function(given)
  it("nests: what raised in it is undone, the rest is kept", function()
    given.store:update(function(tx)
      put(tx, "a")
      assert.are.equal("result", tx:update(function(inner) put(inner, "b") return "result" end))
      local raised = {}
      local _, got = pcall(tx.update, tx, function(inner)
        put(inner, "c")
        inner:rooms():delete "a"
        inner:update(function(innermost) put(innermost, "d") end)
        assert.are.equal("b c d", names(inner))
        error(raised)
      end)
      assert.are.equal(raised, got)
      assert.are.equal("a b", names(tx))
      put(tx, "e")
    end)
    assert.are.equal("a b e", names(given.store))
  end)

  it("goes with the outer one", function()
    pcall(given.store.update, given.store, function(tx)
      tx:update(function(inner) put(inner, "a") end)
      error "x"
    end)
    assert.are.equal("", names(given.store))
  end)

  it("nests deep", function()
    local function down(tx, level)
      put(tx, "r" .. level)
      if level < 9 then pcall(tx.update, tx, function(inner) down(inner, level + 1) end) end
      if level == 5 then error "undone from here" end
    end
    given.store:update(function(tx) down(tx, 1) end)
    assert.are.equal("r1 r2 r3 r4", names(given.store))
  end)

  it("ends with its function", function()
    given.store:update(function(tx)
      local kept = tx:update(function(inner) return inner end)
      raises("CLOSED", nil, kept.rooms, kept)
      put(tx, "a")
    end)
    assert.are.equal("a", names(given.store))
  end)
end)
