local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function contains(text, part)
  assert.is_not_nil(text:find(part, 1, true), ("%q is not in %q"):format(part, text))
end

local function nothing() end

--- Every method of a store and of its rooms, with arguments that are fine.
local function calls(store, rooms)
  return {
    { store.rooms, store }, { store.update, store, nothing }, { store.view, store, nothing }, { store.begin, store, "read" },
    { store.begin, store, "write" }, { store.stats, store }, { store.sync, store },
    { rooms.save, rooms, { roomName = "a" } }, { rooms.get, rooms, "a" }, { rooms.has, rooms, "a" }, { rooms.delete, rooms, "a" },
    { rooms.list, rooms }, { rooms.names, rooms }, { rooms.each, rooms }, { rooms.rate, rooms, "a", "jo", "m", "like", 1 },
    { rooms.matches, rooms, "a" }, { rooms.check_password, rooms, "a", "x" }, { rooms.expire, rooms, { idle = 1 } },
    { rooms.stats, rooms }, { rooms.import, rooms, "/nowhere" }, { rooms.export, rooms, "/nowhere" },
  }
end

on_each_engine("a closed store", function(given)
  it("raises CLOSED from every method of it and of its rooms", function()
    given.store:close()
    for i, call in ipairs(calls(given.store, given.rooms)) do
      local raised = raises("CLOSED", nil, table.unpack(call))
      assert.is_false(raised.retryable, i)
    end
  end)

  it("can be closed again, in every way", function()
    local store <close> = given.open()
    store:close()
    store:close()
    local mt = debug.getmetatable(store)
    mt.__close(store, nil)
    mt.__gc(store)
    mt.__gc(store)
    raises("CLOSED", nil, store.stats, store)
  end)

  it("ends its transactions: they are rolled back and CLOSED", function()
    for _, mode in ipairs { "write", "read" } do
      local store = given.open()
      local tx <close> = store:begin(mode)
      local rooms = tx:rooms()
      if mode == "write" then rooms:save { roomName = "a" } end
      store:close()
      raises("CLOSED", nil, tx.rooms, tx)
      raises("CLOSED", nil, tx.commit, tx)
      raises("CLOSED", nil, rooms.has, rooms, "a")
    end
  end)

  it("leaves other stores alone", function()
    local other = given.open()
    other:rooms():save { roomName = "a" }
    given.store:close()
    assert.is_true(other:rooms():has "a")
  end)

  it("is closed by a <close> variable and by collection", function()
    local kept
    do
      local store <close> = given.open()
      kept = store
    end
    raises("CLOSED", nil, kept.rooms, kept)
  end)

  it("shows in tostring", function()
    local open = { tostring(given.store), tostring(given.rooms) }
    contains(open[1], "larder.store")
    contains(open[1], given.engine.name)
    contains(open[2], "larder.rooms")
    given.store:close()
    contains(tostring(given.store), "closed")
    contains(tostring(given.rooms), "closed")
  end)
end)

on_each_engine("closing a store inside its own functions", function(given)
  local function then_defined(method)
    local ok, raised = pcall(given.store[method], given.store, function(tx)
      tx:rooms():names()
      local closed, why = pcall(given.store.close, given.store)
      if closed then raises("CLOSED", nil, tx.rooms, tx) else assert.are.equal("MISUSE", why.code) end
    end)
    assert.is_true(ok or raised.code == "CLOSED" or raised.code == "MISUSE", tostring(raised))
  end

  it("is MISUSE, or ends the transaction with CLOSED", function()
    then_defined "update"
    given.store = given.open()
    then_defined "view"
  end)

  it("ends a loop over its rooms with CLOSED", function()
    for i = 1, 100 do given.rooms:save { roomName = "r" .. i } end
    raises("CLOSED", nil, function()
      for _ in given.rooms:each() do given.store:close() end
    end)
  end)
end)

on_each_engine("handles", function(given)
  it("of transactions have the methods of stores", function()
    local tx <close> = given.store:begin "read"
    for _, name in ipairs { "rooms", "update", "view", "begin", "stats" } do assert.are.equal("function", type(tx[name]), name) end
  end)

  it("are userdata with __name, __gc, __close and __tostring", function()
    local tx <close> = given.store:begin "read"
    for name, handle in pairs { ["larder.store"] = given.store, ["larder.tx"] = tx, ["larder.rooms"] = given.rooms } do
      assert.are.equal("userdata", type(handle))
      local mt = debug.getmetatable(handle)
      assert.are.equal(name, mt.__name)
      assert.are.equal("function", type(mt.__tostring))
    end
    for _, handle in ipairs { given.store, tx } do
      assert.are.equal("function", type(debug.getmetatable(handle).__gc))
      assert.are.equal("function", type(debug.getmetatable(handle).__close))
    end
  end)

  it("refuse to be used with each other's methods, or without a handle, with an error object", function()
    local tx <close> = given.store:begin "read"
    local function refused(handle, ...)
      for name, method in pairs(debug.getmetatable(handle).__index) do
        local ok, raised = pcall(method, ...)
        assert.is_false(ok, name)
        assert.are_not.equal("string", type(raised), ("%s: %s"):format(name, raised))
        assert.are.equal("INVALID", raised.code)
      end
    end
    for _, other in ipairs { io.stdout, 5, "x", {}, print, true } do
      for _, handle in ipairs { given.store, given.rooms, tx } do refused(handle, other, "a") end
    end
    refused(given.rooms, given.store, "a")
    refused(given.rooms, tx, "a")
    refused(given.store, given.rooms, "a")
    refused(given.store)
    refused(given.rooms)
    refused(tx)
  end)

  it("refuse metamethods on what is no handle", function()
    local tx <close> = given.store:begin "read"
    for _, handle in ipairs { given.store, given.rooms, tx } do
      for name, metamethod in pairs(debug.getmetatable(handle)) do
        if type(metamethod) == "function" and name ~= "__index" then
          for _, other in ipairs { 5, {}, "x", io.stdout } do pcall(metamethod, other) end
          pcall(metamethod)
        end
      end
    end
    tx:rooms():has "a"
  end)

  it("have nothing of unknown names", function()
    assert.is_nil(given.store.room)
    assert.is_nil(given.rooms.find)
    assert.is_false(pcall(function() given.store.x = 1 end))
  end)
end)

on_each_engine("opening a store", function(given)
  it("again finds what was committed, as often as it is done", function()
    local options = given.engine.place()
    local count = given.engine.durable and 5 or 0
    for i = 1, count do
      local store <close> = larder.open(options)
      assert.are.equal(i - 1, #store:rooms():list())
      store:rooms():save { roomName = "r" .. i, ratings = { m = { { "jo", "like", i } } } }
      local tx = store:begin "write"
      tx:rooms():save { roomName = "not committed" }
    end
    local store <close> = larder.open(options)
    assert.are.equal(count, #store:rooms():list())
    assert.are.equal(count, store:rooms():stats().likes)
  end)

  it("twice shares it where it is durable, and makes two where it is not", function()
    local options = given.engine.place()
    local a <close> = larder.open(options)
    local b <close> = larder.open(options)
    a:rooms():save { roomName = "a" }
    assert.are.equal(given.engine.durable, b:rooms():has "a")
    a:close()
    b:rooms():save { roomName = "b" }
    assert.is_true(b:rooms():has "b")
  end)
end)

on_each_engine("store:stats and sync", function(given)
  it("count the rows and name the engine", function()
    local before = given.store:stats()
    assert.are.equal(given.engine.name, before.engine)
    given.rooms:save { roomName = "a", ratings = { m = { { "jo", "like", 1 } } }, userProgress = { jo = 1 } }
    local after = given.store:stats()
    assert.is_true(after.entries >= before.entries + 3)
    assert.are.equal("integer", math.type(after.entries))
    given.store:sync()
    same(after.entries, given.store:stats().entries)
  end)

  it("work in and beside a transaction", function()
    given.store:update(function(tx)
      tx:rooms():save { roomName = "a" }
      assert.is_true(given.store:stats().entries >= 0)
      given.store:sync()
    end)
    assert.is_true(given.rooms:has "a")
  end)
end)
