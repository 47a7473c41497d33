local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises
local collect, exactly = support.collect, support.exactly

--- Long enough that several have the same beginning and that few fit a page.
local function name_of(i)
  if i % 7 == 0 then return ("%04d"):format(i) .. ("x"):rep(1000) end
  if i % 5 == 0 then return ("\xfe"):rep(600) .. i end
  return ("%04d"):format(i)
end

local function fill(store, count)
  local names = {}
  store:update(function(tx)
    local rooms = tx:rooms()
    for i = 1, count do
      names[i] = name_of(i)
      rooms:save {
        roomName = names[i], password = "p", n = i,
        ratings = { ["m" .. i] = { { "jo", "like", i } } }, userProgress = { jo = i },
      }
    end
  end)
  return names
end

--- Walk while `disturb(rooms, steady)` writes between the steps. The steady rooms must come exactly once, no other more than once.
local function walk_disturbed(given, iterate, disturb)
  local steady = fill(given.store, 200)
  local seen = {}
  for name in iterate(given.rooms) do
    assert.is_nil(seen[name], "came twice")
    seen[name] = true
    disturb(given.rooms, steady)
  end
  for _, name in ipairs(steady) do assert.is_true(seen[name], "did not come: " .. name:sub(1, 20)) end
end

local function disturb_at_random(rooms, steady)
  local name = steady[math.random(#steady)]
  local guest = name:sub(1, math.random(0, #name)) .. "~" .. math.random(9)
  local dice = math.random(5)
  if dice == 1 then rooms:delete(guest) end
  if dice == 2 then rooms:save { roomName = name, n = math.random(100), filler = ("f"):rep(math.random(0, 3000)) } end
  if dice == 3 then rooms:rate(name, "u" .. math.random(5), "m" .. math.random(5), "like", 1) end
  if dice >= 4 and #guest <= 1023 then rooms:save { roomName = guest } end
end

on_each_engine("iterators on the store", function(given)
  for _, method in ipairs { "names", "each" } do
    it("give every room that stays exactly once while others come and go: " .. method, function()
      support.at_random(function()
        walk_disturbed(given, function(rooms) return rooms[method](rooms) end, disturb_at_random)
      end)
    end)
  end

  it("let the room of this step be deleted, saved again and rated", function()
    local names = fill(given.store, 300)
    local got = {}
    for name, room in given.rooms:each { ratings = true } do
      got[#got + 1] = name
      if room.n % 3 == 0 then given.rooms:delete(name) end
      if room.n % 3 == 1 then given.rooms:save { roomName = name, again = true } end
      if room.n % 3 == 2 then given.rooms:rate(name, "al", "m", "like", 1) end
    end
    exactly(names, got)
    assert.are.equal(200, given.rooms:stats().rooms)
  end)

  it("do not give a room that was deleted before its page was read, and end when all are", function()
    fill(given.store, 2000)
    local count = 0
    for name in given.rooms:names() do
      count = count + 1
      if count == 1 then
        given.store:update(function(tx)
          for other in given.rooms:names() do
            if other ~= name then tx:rooms():delete(other) end
          end
        end)
      end
    end
    assert.is_true(count < 2000)
    same({ "0001" }, collect(given.rooms:names()))
  end)
end)

on_each_engine("iterators on the store", function(given)
  it("hold no transaction between steps", function()
    fill(given.store, 300)
    local held = {}
    for i = 1, 50 do
      held[i] = table.pack(given.rooms:each())
      held[i][1](held[i][2], held[i][3])
    end
    assert.are.equal(0, given.store:stats().readers)
    given.store:update(function(tx) tx:rooms():save { roomName = "x" } end)
  end)

  it("can be left at any step and used by hand, and stay at their end", function()
    fill(given.store, 10)
    for name in given.rooms:names() do
      if name == "0003" then break end
    end
    local step, state, control = given.rooms:names()
    local count = 0
    while true do
      control = step(state, control)
      if control == nil then break end
      count = count + 1
    end
    assert.are.equal(10, count)
    given.rooms:save { roomName = "z" }
    assert.is_nil((step(state, control)))
  end)

  it("run several at once, one in the other", function()
    fill(given.store, 12)
    local count = 0
    for _ in given.rooms:each() do
      for _ in given.rooms:names() do count = count + 1 end
    end
    assert.are.equal(144, count)
  end)
end)

on_each_engine("iterators on a transaction", function(given)
  it("read its snapshot", function()
    local names = fill(given.store, 300)
    local tx <close> = given.store:begin "read"
    local got = {}
    for name, room in tx:rooms():each { ratings = true } do
      got[#got + 1] = name
      same({ jo = room.n }, room.userProgress)
      given.rooms:save { roomName = name:sub(1, 1000) .. "!" }
      given.rooms:delete(names[#got])
    end
    exactly(names, got)
    exactly(names, collect(tx:rooms():names()))
  end)

  it("see what the transaction wrote", function()
    given.rooms:save { roomName = "b" }
    given.store:update(function(tx)
      local rooms = tx:rooms()
      rooms:save { roomName = "a" }
      rooms:delete "b"
      same({ "a" }, collect(rooms:names()))
      same({ { roomName = "a" } }, rooms:list())
      same({ "b" }, collect(given.rooms:names()))
    end)
  end)

  it("give every room that stays exactly once while the transaction writes", function()
    support.at_random(function()
      local steady = fill(given.store, 200)
      given.store:update(function(tx)
        local seen = {}
        for name in tx:rooms():names() do
          assert.is_nil(seen[name], "came twice")
          seen[name] = true
          disturb_at_random(tx:rooms(), steady)
        end
        for _, name in ipairs(steady) do assert.is_true(seen[name], "did not come: " .. name:sub(1, 20)) end
      end)
    end)
  end)

  it("raise CLOSED once it has ended, and once the store is closed", function()
    fill(given.store, 300)
    local tx = given.store:begin "read"
    local step, state, control = tx:rooms():names()
    control = step(state, control)
    tx:rollback()
    raises("CLOSED", nil, step, state, control)
    step, state, control = given.rooms:each()
    control = step(state, control)
    given.store:close()
    raises("CLOSED", nil, step, state, control)
  end)
end)

describe("a large store", function()
  it("is walked in little memory", function()
    local store <close> = larder.open "memory:"
    store:update(function(tx)
      for i = 1, 5000 do tx:rooms():save { roomName = "r" .. i, filler = ("f"):rep(2000) } end
    end)
    local rooms, most = store:rooms(), 0
    collectgarbage()
    local before = collectgarbage "count"
    for _ in rooms:each() do
      collectgarbage "step"
      most = math.max(most, collectgarbage "count" - before)
    end
    assert.is_true(most < 2000, most .. " KiB for 10 MB of rooms")
  end)
end)
