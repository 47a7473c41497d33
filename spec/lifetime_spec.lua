local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function collect_all()
  collectgarbage()
  collectgarbage()
end

--- One handle of each kind on a store with a room, and an iterator of each kind in its midst.
local function open_handles(options)
  local store = larder.open(options)
  store:update(function(tx)
    for i = 1, 50 do tx:rooms():save { roomName = "r" .. i, ratings = { m = { { "jo", "like", i } } } } end
  end)
  local rooms, reading, writing = store:rooms(), store:begin "read", store:begin "write"
  local handles = { store, rooms, reading, writing, reading:rooms(), writing:rooms(), (rooms:each()), (reading:rooms():names()) }
  handles[#handles + 1] = (writing:rooms():each { ratings = true })
  writing:rooms():save { roomName = "not committed" }
  for i = 7, 9 do handles[i]() end
  return handles
end

--- Let go of the handles one by one in this order, collecting in between.
local function drop(handles, order)
  for _, i in ipairs(order) do
    handles[i] = nil
    collect_all()
  end
end

local function shuffled(count)
  local order = {}
  for i = 1, count do table.insert(order, math.random(#order + 1), i) end
  return order
end

on_each_engine("collecting handles", function(given)
  it("works in every order", function()
    support.at_random(function()
      for _ = 1, 15 do
        local handles = open_handles(given.engine.place())
        drop(handles, shuffled(#handles))
      end
    end)
  end)

  it("works in one sweep", function()
    for _ = 1, 10 do
      open_handles(given.engine.place())
      collect_all()
    end
  end)

  it("lets go of a store once nothing of it is held, and closes it well", function()
    local options = given.engine.place()
    local handles = open_handles(options)
    drop(handles, { 1, 2, 3, 4, 5, 6, 7, 8 })
    assert.is_not_nil(handles[9]())
    drop(handles, { 9 })
    local store <close> = larder.open(options)
    assert.are.equal(given.engine.durable and 50 or 0, store:rooms():stats().rooms)
    store:rooms():save { roomName = "x" }
  end)

  it("keeps a store as long as its rooms or an iterator is held", function()
    local rooms = larder.open(given.engine.place()):rooms()
    collect_all()
    rooms:save { roomName = "a" }
    rooms:save { roomName = "b" }
    local step, state, control = rooms:names()
    rooms = nil
    collect_all()
    control = step(state, control)
    assert.are.equal("a", control)
    assert.are.equal("b", (step(state, control)))
    assert.is_nil(rooms)
  end)

  it("works by hand, in every order, with CLOSED after it", function()
    support.at_random(function()
      for _ = 1, 10 do
        local handles = open_handles(given.engine.place())
        for _, i in ipairs(shuffled(4)) do
          local gc = debug.getmetatable(handles[i]).__gc
          if gc then gc(handles[i]) end
          for _, rooms in ipairs { handles[2], handles[5], handles[6] } do pcall(rooms.get, rooms, "r1") end
          for k = 7, 9 do pcall(handles[k]) end
        end
        raises("CLOSED", nil, handles[2].get, handles[2], "r1")
        raises("CLOSED", nil, handles[5].get, handles[5], "r1")
        raises("CLOSED", nil, handles[6].get, handles[6], "r1")
      end
    end)
  end)
end)

--- Everything once, with errors in between.
local function a_bit_of_everything(store)
  local rooms = store:rooms()
  store:update(function(tx)
    collectgarbage "step"
    for i = 1, 20 do tx:rooms():save { roomName = "r" .. i, options = { i, { larder.null } } } end
    pcall(tx.update, tx, function(inner) inner:rooms():delete "r1" error { "x" } end)
    collectgarbage "step"
  end)
  for name, room in rooms:each() do
    collectgarbage "step"
    rooms:rate(name, "jo", "m", "like", 1)
    same({ room.options[1], { larder.null } }, room.options)
  end
  pcall(rooms.save, rooms, { roomName = "bad", f = { print } })
  pcall(rooms.save, rooms, { roomName = "bad", ratings = { m = { 5 } } })
  for _ = 1, 3 do rooms:rate("r2", "u" .. _, "n", "like", _) end
  same({ { mediaId = "n", users = { "u1", "u2", "u3" }, matchedAt = 3 } }, rooms:matches "r2")
  store:begin("write"):rooms():save { roomName = "left open" }
  collect_all()
  assert.are.equal(20, #rooms:list())
end

on_each_engine("working", function(given)
  it("is fine while garbage is collected at every allocation", function()
    support.with_constant_collection(function() a_bit_of_everything(given.store) end)
  end)

  it("is fine while garbage is collected at every few instructions", function()
    debug.sethook(function() collectgarbage() end, "", 100)
    local ok, raised = pcall(a_bit_of_everything, given.store)
    debug.sethook()
    assert(ok, raised)
  end)

  it("is fine with the generational collector", function()
    collectgarbage "generational"
    local ok, raised = pcall(function()
      for _ = 1, 5 do a_bit_of_everything(given.open()) end
    end)
    collectgarbage "incremental"
    assert(ok, raised)
  end)

  it("is fine when a hook raises in the midst of anything", function()
    local rooms = given.rooms
    for count = 1, 3000, 7 do
      local left = count
      pcall(function()
        debug.sethook(function()
          left = left - 1
          if left == 0 then error "from the hook" end
        end, "crl")
        a_bit_of_everything(given.store)
      end)
      debug.sethook()
    end
    collect_all()
    rooms:save { roomName = "after" }
    assert.is_true(rooms:has "after")
    assert.are.equal(0, given.store:stats().readers)
  end)
end)

--- Handles of every kind stay open in globals; then comes the end.
local prologue = [[
  local larder = require "larder"
  store = larder.open%s
  for i = 1, 50 do store:rooms():save { roomName = "r" .. i } end
  reading, writing = store:begin "read", store:begin "write"
  rooms, rooms_reading, rooms_writing = store:rooms(), reading:rooms(), writing:rooms()
  rooms_writing:save { roomName = "not committed" }
  each, names = rooms:each(), rooms_reading:names()
  each() names()
]]

local endings = {
  ["by its last line"] = "",
  ["with os.exit"] = "os.exit(0)",
  ["with os.exit, closing the state"] = "os.exit(0, true)",
  ["with os.exit in a coroutine"] = "coroutine.wrap(function() store:view(function() os.exit(0, true) end) end)()",
  ["with os.exit in update"] = "writing:rollback() store:update(function(tx) tx:rooms():save { roomName = 'x' } os.exit(0, true) end)",
  ["with os.exit in nested update"] = "writing:update(function(tx) tx:rooms():save { roomName = 'x' } os.exit(0, true) end)",
  ["with os.exit in a loop"] = "for _ in rooms:each() do os.exit(0, true) end",
  ["with os.exit in the clock"] = [[
    local other = larder.open { url = "memory:", clock = function() os.exit(0, true) end }
    other:rooms():save { roomName = "x" }]],
  ["with os.exit in the log"] = [[
    larder.open { url = "memory:", log = function() os.exit(0, true) end }]],
  ["with handles in to-be-closed variables"] = [[
    local s <close> = store
    local r <close> = reading
    local w <close> = writing
    os.exit(0, true)]],
  ["with a finalizer that uses the store"] = [[
    for _, handle in ipairs { store, rooms, reading, rooms_writing, each } do
      setmetatable({}, { __gc = function()
        pcall(store.close, store) pcall(rooms.get, rooms, "r1") pcall(writing.commit, writing) pcall(rooms_reading.list, rooms_reading)
        pcall(each) pcall(names) tostring(store) tostring(writing) tostring(handle)
      end })
    end]],
  ["with finalizers made before the store"] = "",
  ["with a suspended coroutine"] = [[
    writing:rollback()
    thread = coroutine.create(function()
      local tx <close> = store:begin "write"
      tx:rooms():save { roomName = "x" }
      coroutine.yield()
    end)
    coroutine.resume(thread)]],
  ["twice closed"] = "store:close() store:close() os.exit(0, true)",
}

on_each_engine("a program with everything open", function(given)
  local before = [[setmetatable({}, { __gc = function()
    if rooms then pcall(rooms.save, rooms, { roomName = "late" }) pcall(each) end
  end })]]
  for name, ending in pairs(endings) do
    it("ends well " .. name, function()
      local options = given.engine.place()
      local opened = ("{ engine = %q, path = %s }"):format(options.engine, options.path and ("%q"):format(options.path) or "nil")
      local code, out, err = support.run(before .. "\n" .. prologue:format(opened) .. ending)
      same({ 0, "", "" }, { code, out, err })
      if given.engine.durable then
        local store <close> = larder.open(options)
        assert.is_false(store:rooms():has "not committed")
        assert.is_true(store:rooms():has "r50")
      end
    end)
  end
end)
