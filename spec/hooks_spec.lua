local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- A log function, and the list of what it got as "level: line".
local function recorder()
  local lines = {}
  return function(level, line) lines[#lines + 1] = level .. ": " .. line end, lines
end

on_each_engine("the log", function(given)
  it("has one line for opening and one for closing", function()
    local log, lines = recorder()
    local store = given.open { log = log }
    local opened = #lines
    assert.are.equal(1, opened, table.concat(lines, "\n"))
    assert.is_not_nil(lines[1]:find "^debug: .*open")
    store:rooms():save { roomName = "a" }
    store:rooms():get "a"
    assert.are.equal(opened, #lines, table.concat(lines, "\n"))
    store:close()
    store:close()
    assert.are.equal(opened + 1, #lines, table.concat(lines, "\n"))
    assert.is_not_nil(lines[#lines]:find "^debug: .*close")
  end)

  it("has one line for each error, with its text", function()
    local log, lines = recorder()
    local rooms = given.open({ log = log }):rooms()
    local before = #lines
    local raised = raises("INVALID", "ratings.m[1]", rooms.save, rooms, { roomName = "a", ratings = { m = { {} } } })
    assert.are.equal(before + 1, #lines, table.concat(lines, "\n"))
    assert.is_not_nil(lines[#lines]:find(raised.message, 1, true))
    rooms:get "nobody"
    rooms:delete "nobody"
    assert.are.equal(before + 1, #lines)
  end)

  it("has a line for an error of every kind", function()
    local log, lines = recorder()
    local store = given.open { log = log }
    local rooms, tx = store:rooms(), store:begin "read"
    local read_only = tx:rooms()
    local failing = {
      { rooms.save, rooms, { roomName = "a", f = print } }, { rooms.save, rooms, {} }, { rooms.get, rooms, 5 },
      { rooms.get, rooms, "a", { rating = true } }, { rooms.rate, rooms, "nobody", "jo", "m", "like" },
      { read_only.save, read_only, { roomName = "a" } }, { rooms.save, rooms, { roomName = ("x"):rep(1024) } },
    }
    for i, call in ipairs(failing) do
      local before = #lines
      assert.is_false(pcall(table.unpack(call)))
      assert.are.equal(before + 1, #lines, "call " .. i)
    end
    tx:rollback()
  end)

  it("never holds a password or a document", function()
    local log, lines = recorder()
    local rooms = given.open({ log = log }):rooms()
    rooms:save { roomName = "a", password = "secret" }
    pcall(rooms.save, rooms, { roomName = "b", password = "secret", f = print })
    rooms:check_password("a", "secret")
    assert.is_nil(table.concat(lines, "\n"):find("secret", 1, true))
  end)

  it("may raise without harm", function()
    local store = given.open { log = function() error "from the log" end }
    pcall(store.rooms(store).save, store:rooms(), { roomName = "bad", ratings = { m = 5 } })
    pcall(store.rooms(store).save, store:rooms(), { roomName = "a" })
    assert.is_true(store:rooms():has "a")
    pcall(store.close, store)
    raises("CLOSED", nil, store.stats, store)
  end)

  it("may not use the store it logs for, which is MISUSE", function()
    local store, results
    store = given.open { log = function() if store then results = table.pack(pcall(store.stats, store)) end end }
    pcall(store:rooms().save, store:rooms(), { roomName = "bad", ratings = { m = 5 } })
    assert.is_false(results[1])
    assert.are.equal("MISUSE", results[2].code)
    store:rooms():save { roomName = "a" }
  end)

  it("refuses what is no log", function()
    for _, log in ipairs { "loud", 5, true, {} } do
      local options = given.engine.place()
      options.log = log
      raises("INVALID", "log", larder.open, options)
    end
  end)
end)

on_each_engine("the clock", function(given)
  it("is asked for the time of a rating and of a save", function()
    local now = 1000
    local rooms = given.open({ clock = function() now = now + 1 return now end }):rooms()
    rooms:save { roomName = "a" }
    rooms:rate("a", "jo", "m", "like")
    local time = rooms:get("a").ratings.m[1][3]
    assert.are.equal("integer", math.type(time))
    assert.is_true(time > 1000 and time <= now)
  end)

  it("may call a coroutine that fails to use the store", function()
    local rooms
    rooms = given.open({ clock = function()
      pcall(coroutine.wrap(function() return rooms:get "a" end))
      return 5
    end }):rooms()
    rooms:save { roomName = "a" }
    rooms:rate("a", "jo", "m", "like")
    same({ { "jo", "like", 5 } }, rooms:get("a").ratings.m)
  end)

  it("is not asked when the time is given", function()
    local rooms = given.open({ clock = function() return 5 end }):rooms()
    rooms:save { roomName = "a" }
    rooms:rate("a", "jo", "m", "like", 77)
    same({ { "jo", "like", 77 } }, rooms:get("a").ratings.m)
  end)

  it("that raises or gives no time fails the call, and nothing is written", function()
    local answers = { function() error "no time" end, function() return "now" end, function() end,
      function() return 0 / 0 end, function() return {} end, function() return math.huge end }
    for _, answer in ipairs(answers) do
      local clock = function() return 1000 end
      local rooms = given.open({ clock = function() return clock() end }):rooms()
      rooms:save { roomName = "a" }
      clock = answer
      assert.is_false(pcall(rooms.rate, rooms, "a", "jo", "m", "like"))
      assert.is_false(pcall(rooms.save, rooms, { roomName = "b" }))
      clock = function() return 2000 end
      same({ roomName = "a" }, rooms:get "a")
      assert.is_false(rooms:has "b")
      rooms:save { roomName = "b" }
    end
  end)

  it("may not use the store, and must not yield", function()
    local store
    store = given.open { clock = function() store:rooms():has "a" return 5 end }
    assert.is_false(pcall(store:rooms().save, store:rooms(), { roomName = "a" }))
    local yielding = given.open { clock = function() coroutine.yield() return 5 end }
    assert.is_false(coroutine.resume(coroutine.create(function() yielding:rooms():save { roomName = "a" } end)))
    assert.is_false(store:rooms():has "a")
    assert.is_false(yielding:rooms():has "a")
  end)

  it("is a function", function()
    for _, clock in ipairs { 5, "now", true, {} } do
      local options = given.engine.place()
      options.clock = clock
      raises("INVALID", "clock", larder.open, options)
    end
  end)
end)

describe("a program", function()
  local program = [[
    local larder = require "larder"
    local store = larder.from_env()
    store:rooms():save { roomName = "a" }
    pcall(store:rooms().save, store:rooms(), { roomName = "b", f = print })
    store:close()
  ]]
  after_each(support.remove_folders)

  it("is silent without LOG_LEVEL", function()
    same({ 0, "", "" }, { support.run(program) })
  end)

  it("logs to standard error with LOG_LEVEL=debug", function()
    local code, out, err = support.run(program, { LOG_LEVEL = "debug" })
    same({ 0, "" }, { code, out })
    assert.is_not_nil(err:find "open")
    assert.is_not_nil(err:find "close")
    assert.is_not_nil(err:find("function", 1, true))
    for line in err:gmatch "[^\n]+" do assert.is_not_nil(line:find "larder") end
  end)

  it("fails at an unknown LOG_LEVEL, naming the known ones", function()
    local code, _, err = support.run(program, { LOG_LEVEL = "loud" })
    assert.are.equal(1, code)
    for _, part in ipairs { "loud", "debug", "error" } do assert.is_not_nil(err:find(part, 1, true), err) end
  end)
end)
