-- Making documents of Lua tables, and tables of documents: in the time of their size, whatever the garbage collector does meanwhile.
local larder = require "larder"

describe("deep tables with elements and fields", function()
  it("take no longer than their size", function()
    local rooms, stanza = larder.open("memory:"):rooms(), { "leaf", x = 1 }
    for _ = 1, 100 do stanza = { stanza, attr = 1 } end -- 2^100 steps, were each table tried as an array first
    local list = { [3] = 3, [2] = 2, [1] = 1 }
    for _ = 1, 20 do
      local outer = {}
      outer[2], outer[1] = list, 1
      list = outer
    end
    rooms:save{ roomName = "a", stanza = stanza, list = list }
    local got = rooms:get "a"
    for _ = 1, 100 do
      assert.are.equal(1, got.stanza.attr)
      got.stanza = got.stanza[1]
    end
    assert.are.same({ "leaf", x = 1 }, got.stanza)
    assert.are.same(list, got.list)
  end)
end)

describe("a room of all levels that there may be", function()
  it("is read, listed and walked over", function()
    local rooms, deep = larder.open("memory:"):rooms(), {}
    for _ = 1, 126 do deep = { deep } end
    rooms:save{ roomName = "deep", x = deep }
    assert.are.same(rooms:get("deep").x, rooms:list()[1].x)
    for _, room in rooms:each() do assert.are.same(deep, room.x) end
    assert.is_false(pcall(rooms.save, rooms, { roomName = "deeper", x = { deep } }))
  end)
end)

-- Call `f` from a finalizer, again and again, until `stop` is called.
local function on_every_collection(f)
  local armed = true
  local function arm()
    setmetatable({}, { __gc = function()
      f()
      if armed then arm() end
    end })
  end
  arm()
  collectgarbage "generational"
  return function()
    armed = false
    collectgarbage "incremental"
  end
end

describe("a finalizer", function()
  it("may use the store while results are made, and never spoils them", function()
    local rooms = larder.open("memory:"):rooms()
    local data = {}
    for i = 1, 500 do data[i] = { k = "v" .. i, { i } } end
    rooms:save{ roomName = "big", data = data }
    for i = 1, 5 do rooms:save{ roomName = "s" .. i, d = ("x"):rep(100000 * i) } end
    local count = 0
    local stop = on_every_collection(function()
      count = count + 1
      rooms:get("s" .. count % 5 + 1)
    end)
    for _ = 1, 100 do
      local got = rooms:get "big".data
      for i = 1, 500 do assert(got[i].k == "v" .. i and got[i][1][1] == i, "wrong data") end
    end
    stop()
    assert.is_true(count > 0)
  end)

  it("may close the store while a transaction begins", function()
    for _, method in ipairs{ "begin", "update", "view", "stats", "rooms" } do
      for _ = 1, 200 do
        local store = larder.open "memory:"
        local stop = on_every_collection(function() store:close() end)
        for _ = 1, 50 do
          local argument = (method == "update" or method == "view") and function() end or nil
          local ok, raised = pcall(store[method], store, argument)
          if not ok then assert.are.equal("CLOSED", raised.code) end
          if ok and method == "begin" then pcall(raised.rollback, raised) end
        end
        stop()
      end
    end
  end)
end)
