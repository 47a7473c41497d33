local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function put(place, ...)
  for _, name in ipairs { ... } do place:rooms():save { roomName = name } end
end

local function names(place)
  return table.concat(support.collect(place:rooms():names()), " ")
end

--- Every method of an ended transaction, and of rooms made on it, is CLOSED.
local function all_closed(tx, rooms)
  local function nothing() end
  raises("CLOSED", nil, tx.rooms, tx)
  raises("CLOSED", nil, tx.update, tx, nothing)
  raises("CLOSED", nil, tx.view, tx, nothing)
  raises("CLOSED", nil, tx.begin, tx, "read")
  raises("CLOSED", nil, tx.commit, tx)
  raises("CLOSED", nil, rooms.save, rooms, { roomName = "x" })
  raises("CLOSED", nil, rooms.get, rooms, "a")
  raises("CLOSED", nil, rooms.has, rooms, "a")
  raises("CLOSED", nil, rooms.delete, rooms, "a")
  raises("CLOSED", nil, rooms.list, rooms)
  raises("CLOSED", nil, rooms.rate, rooms, "a", "jo", "m", "like", 1)
  raises("CLOSED", nil, rooms.matches, rooms, "a")
  raises("CLOSED", nil, rooms.check_password, rooms, "a", "x")
  raises("CLOSED", nil, rooms.expire, rooms, { idle = 1 })
  raises("CLOSED", nil, rooms.stats, rooms)
end

on_each_engine("store:begin", function(given)
  it("writes until commit", function()
    local tx = given.store:begin "write"
    put(tx, "a", "b")
    assert.are.equal("a b", names(tx))
    assert.are.equal("", names(given.store))
    tx:commit()
    assert.are.equal("a b", names(given.store))
  end)

  it("writes nothing without commit", function()
    local tx = given.store:begin "write"
    put(tx, "a")
    tx:rollback()
    assert.are.equal("", names(given.store))
    do
      local left <close> = given.store:begin "write"
      put(left, "b")
    end
    pcall(function()
      local raised_in <close> = given.store:begin "write"
      put(raised_in, "c")
      error "x"
    end)
    assert.are.equal("", names(given.store))
  end)

  it("keeps what was committed when the variable is left", function()
    do
      local tx <close> = given.store:begin "write"
      put(tx, "a")
      tx:commit()
    end
    assert.are.equal("a", names(given.store))
  end)

  it("reads one snapshot", function()
    put(given.store, "a")
    local tx <close> = given.store:begin "read"
    put(given.store, "b")
    assert.are.equal("a", names(tx))
    local rooms = tx:rooms()
    raises("MISUSE", nil, rooms.save, rooms, { roomName = "c" })
    raises("MISUSE", nil, tx.update, tx, function() end)
    assert.are.equal("a", names(tx))
    tx:commit()
    assert.are.equal("a b", names(given.store))
  end)

  it("keeps many snapshots at once", function()
    local open = {}
    for i = 1, 60 do
      put(given.store, ("%02d"):format(i))
      open[i] = given.store:begin "read"
    end
    for i = 60, 1, -1 do
      assert.are.equal(i, #support.collect(open[i]:rooms():names()))
      open[i]:rollback()
    end
    given.store:update(function(tx) tx:rooms():delete "01" end)
  end)

  it("refuses other modes", function()
    for _, mode in ipairs { "wirte", "", "READ", 5, true, {} } do raises("INVALID", nil, given.store.begin, given.store, mode) end
    raises("INVALID", "write", given.store.begin, given.store, "wirte")
    put(given.store, "a")
  end)
end)

on_each_engine("a transaction that has ended", function(given)
  it("is CLOSED, and so are its rooms", function()
    for _, mode in ipairs { "write", "read" } do
      for _, how in ipairs { "commit", "rollback" } do
        local tx = given.store:begin(mode)
        local rooms = tx:rooms()
        tx[how](tx)
        all_closed(tx, rooms)
      end
    end
    for _, method in ipairs { "update", "view" } do
      local tx, rooms = given.store[method](given.store, function(tx) return tx, tx:rooms() end)
      all_closed(tx, rooms)
    end
    local tx, rooms
    pcall(given.store.update, given.store, function(kept)
      tx, rooms = kept, kept:rooms()
      error "x"
    end)
    all_closed(tx, rooms)
  end)

  it("shows in tostring", function()
    local tx = given.store:begin "read"
    local open = tostring(tx)
    assert.is_not_nil(open:find("larder.tx", 1, true))
    tx:rollback()
    assert.are_not.equal(open, tostring(tx))
  end)

  it("is ended by update alone: there, commit and rollback are MISUSE", function()
    given.store:update(function(tx)
      put(tx, "a")
      raises("MISUSE", nil, tx.rollback, tx)
      raises("MISUSE", nil, tx.commit, tx)
      put(tx, "b")
    end)
    assert.are.equal("a b", names(given.store))
  end)
end)

on_each_engine("a nested tx:begin", function(given)
  it("is a savepoint, or refused; it never breaks the outer one", function()
    local tx <close> = given.store:begin "write"
    put(tx, "a")
    local ok, inner = pcall(tx.begin, tx, "write")
    if ok then
      put(inner, "b")
      inner:rollback()
    else
      assert.are.equal("MISUSE", inner.code)
    end
    assert.are.equal("a", names(tx))
    tx:commit()
    assert.are.equal("a", names(given.store))
  end)

  it("goes with the outer one", function()
    local tx = given.store:begin "write"
    local ok, inner = pcall(tx.begin, tx, "write")
    local rooms = ok and inner:rooms()
    tx:rollback()
    if ok then all_closed(inner, rooms) end
    put(given.store, "a")
    assert.are.equal("a", names(given.store))
  end)
end)

on_each_engine("a transaction that is forgotten", function(given)
  it("is rolled back when it is collected", function()
    for _ = 1, 20 do
      put(given.store:begin "write", "a")
      given.store:begin "read"
      collectgarbage()
      collectgarbage()
      put(given.store, "b")
      assert.are.equal("b", names(given.store))
    end
    assert.are.equal(0, given.store:stats().readers)
  end)

  it("stays open as long as its rooms or iterator are held", function()
    put(given.store, "a", "b")
    local rooms = given.store:begin("write"):rooms()
    collectgarbage()
    collectgarbage()
    rooms:save { roomName = "c" }
    local step, state, control = given.store:begin("read"):rooms():names()
    collectgarbage()
    assert.are.equal("a", (step(state, control)))
    same({ "a", "b", "c" }, support.collect(rooms:names()))
    assert.are.equal("a b", names(given.store))
  end)

  it("is rolled back when its coroutine never ends and is collected", function()
    for _ = 1, 20 do
      coroutine.wrap(function()
        local tx <close> = given.store:begin "write"
        put(tx, "a")
        coroutine.yield()
        tx:commit()
      end)()
      collectgarbage()
      collectgarbage()
      put(given.store, "b")
    end
    assert.are.equal("b", names(given.store))
  end)

  it("does no harm when it waits in a view for ever", function()
    put(given.store, "a")
    for _ = 1, 20 do
      local thread = coroutine.create(function()
        given.store:view(function(tx)
          tx:rooms():names()
          coroutine.yield(tx)
          tx:rooms():get "a"
        end)
      end)
      local ok, got = coroutine.resume(thread)
      assert.is_true(ok or got.code == "MISUSE")
      put(given.store, "b")
    end
    collectgarbage()
    collectgarbage()
    assert.are.equal(0, given.store:stats().readers)
    assert.are.equal("a b", names(given.store))
  end)
end)
