local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- A store whose clock stands still but for `at`; seconds since it was made.
local function with_clock(given)
  local now = 1700000000000
  local rooms = given.open({ clock = function() return now end }):rooms()
  return rooms, function(seconds) now = 1700000000000 + math.floor(seconds * 1000) end
end

local function expire(rooms, idle)
  local count, names = rooms:expire { idle = idle }
  assert.are.equal(count, #names)
  table.sort(names)
  return table.concat(names, ", ")
end

on_each_engine("rooms:expire", function(given)
  it("deletes what was neither saved nor rated for so long", function()
    local rooms, at = with_clock(given)
    for _, name in ipairs { "rated", "idle", "saved again" } do rooms:save { roomName = name } end
    at(50)
    rooms:rate("rated", "jo", "m", "like")
    rooms:save { roomName = "saved again" }
    at(100)
    rooms:save { roomName = "new" }
    same("", expire(rooms, 101))
    same("idle", expire(rooms, 60))
    same({ "new", "rated", "saved again" }, support.collect(rooms:names()))
    at(200)
    same("rated, saved again", expire(rooms, 120))
    same({ "new" }, support.collect(rooms:names()))
  end)

  it("counts from the rating, not from the time that was given with it", function()
    local rooms, at = with_clock(given)
    rooms:save { roomName = "past" }
    rooms:save { roomName = "future", ratings = { m = { { "jo", "like", 9e15 } } } }
    at(100)
    rooms:rate("past", "jo", "m", "like", 1)
    same("future", expire(rooms, 50))
  end)

  it("is not kept off by reading", function()
    local rooms, at = with_clock(given)
    rooms:save { roomName = "read", password = "x" }
    at(100)
    rooms:get "read"
    rooms:check_password("read", "x")
    rooms:matches "read"
    same("read", expire(rooms, 50))
  end)

  it("takes ratings and progress along", function()
    local rooms, at = with_clock(given)
    rooms:save { roomName = "first" }
    rooms:delete "first"
    local empty = given.opened[2]:stats().entries
    rooms:save { roomName = "old", ratings = { m = { { "jo", "like", 1 } } }, userProgress = { jo = 1 } }
    rooms:rate("old", "al", "m", "like")
    at(10)
    same("old", expire(rooms, 5))
    same(0, rooms:stats().ratings)
    assert.are.equal(empty, given.opened[2]:stats().entries)
    assert.is_nil(rooms:get "old")
  end)

  it("takes fractions of seconds", function()
    local rooms, at = with_clock(given)
    rooms:save { roomName = "a" }
    at(0.5)
    same("", expire(rooms, 0.75))
    same("a", expire(rooms, 0.25))
  end)
end)

on_each_engine("rooms:expire", function(given)
  it("deletes many rooms at once", function()
    local rooms, at = with_clock(given)
    local names = {}
    given.opened[2]:update(function(tx)
      for i = 1, 500 do
        names[i] = ("room %03d"):format(i)
        tx:rooms():save { roomName = names[i], ratings = { m = { { "jo", "like", 1 } } } }
      end
    end)
    at(10)
    same(table.concat(names, ", "), expire(rooms, 1))
    same(0, rooms:stats().rooms)
  end)

  it("works in a transaction, and is undone with it", function()
    local rooms, at = with_clock(given)
    rooms:save { roomName = "a" }
    at(10)
    local tx <close> = given.opened[2]:begin "write"
    same("a", expire(tx:rooms(), 1))
    tx:rollback()
    assert.is_true(rooms:has "a")
  end)

  it("refuses what is no duration", function()
    given.rooms:save { roomName = "a" }
    for _, idle in ipairs { -1, -0.001, 0 / 0, math.huge, -math.huge, "60", true, {} } do
      raises("INVALID", "idle", given.rooms.expire, given.rooms, { idle = idle })
    end
    raises("INVALID", "idle", given.rooms.expire, given.rooms, {})
    raises("INVALID", "idle", given.rooms.expire, given.rooms)
    raises("INVALID", { "idel", "idle" }, given.rooms.expire, given.rooms, { idel = 60 })
    assert.is_true(given.rooms:has "a")
  end)
end)
