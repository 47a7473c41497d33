local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- One failure of each kind that needs no broken disk.
local function failures(given)
  local store, rooms = given.store, given.rooms
  return {
    { "INVALID", "rooms:save", rooms.save, rooms, { roomName = "a", f = print } },
    { "INVALID", "rooms:get", rooms.get, rooms, 5 },
    { "INVALID", "larder.open", larder.open, "lmbd:x" },
    { "INVALID", "rooms:list", rooms.list, rooms, { limt = 1 } },
    { "TOOBIG", "rooms:save", rooms.save, rooms, { roomName = ("x"):rep(1024) } },
    { "NOTFOUND", "rooms:rate", rooms.rate, rooms, "nobody", "jo", "m", "like" },
    { "UNSUPPORTED", "store:rooms", store.rooms, store, { passwords = "hash" } },
    { "MISUSE", "rooms:save", store.view, store, function(tx) tx:rooms():save { roomName = "a" } end },
    { "MISUSE", "rooms:save", store.update, store, function() rooms:save { roomName = "a" } end },
  }
end

on_each_engine("an error", function(given)
  it("says its code, what was wrong, what was called, and whether to try again", function()
    for _, failure in ipairs(failures(given)) do
      local raised = raises(failure[1], nil, table.unpack(failure, 3))
      assert.are.equal("string", type(raised.message))
      assert.is_true(#raised.message > 5)
      assert.are.equal(failure[2], raised.op)
      assert.is_false(raised.retryable)
    end
  end)

  it("reads as text with all of that", function()
    for _, failure in ipairs(failures(given)) do
      local raised = raises(failure[1], nil, table.unpack(failure, 3))
      for _, part in ipairs { raised.code, raised.message, raised.op } do
        assert.is_not_nil(tostring(raised):find(part, 1, true), tostring(raised))
      end
      assert.is_nil(tostring(raised):find "\n")
    end
  end)

  it("is CLOSED after close, with what was called", function()
    given.store:close()
    same("rooms:get", raises("CLOSED", nil, given.rooms.get, given.rooms, "a").op)
    same("store:stats", raises("CLOSED", nil, given.store.stats, given.store).op)
    assert.is_not_nil(tostring(raises("CLOSED", nil, given.rooms.each, given.rooms)):find("closed", 1, true))
  end)

  it("is one of its own each time", function()
    local first = raises("INVALID", nil, given.rooms.get, given.rooms, 5)
    local text = tostring(first)
    raises("INVALID", nil, given.rooms.save, given.rooms, {})
    assert.are.equal(text, tostring(first))
    first.note = "mine"
    assert.is_nil(raises("INVALID", nil, given.rooms.get, given.rooms, 5).note)
  end)

  it("passes through update and coroutines as it is", function()
    local inner
    local ok, outer = pcall(given.store.update, given.store, function(tx)
      inner = raises("INVALID", nil, tx:rooms().get, tx:rooms(), 5)
      error(inner)
    end)
    assert.is_false(ok)
    assert.is_true(rawequal(inner, outer))
    local _, from_thread = coroutine.resume(coroutine.create(function() given.rooms:get(5) end))
    assert.are.equal("INVALID", from_thread.code)
  end)

  it("shows bytes of any kind safely and in short", function()
    for _, name in ipairs { "\0", "\xff\xfe", "a\nb", ("x"):rep(1023), "%s%n%d", "\27[31m" } do
      local raised = raises("NOTFOUND", nil, given.rooms.rate, given.rooms, name, "jo", "m", "like")
      assert.is_true(#raised.message < 400, "long: " .. #raised.message)
      assert.is_nil(raised.message:find "%c")
      assert.is_not_nil(utf8.len(raised.message))
    end
  end)
end)

describe("an error that nobody catches", function()
  after_each(support.remove_folders)

  it("is readable where Lua prints it", function()
    local code, out, err = support.run [[require("larder").open("memory:"):rooms():save { roomName = "a", f = print }]]
    same({ 1, "" }, { code, out })
    assert.is_not_nil(err:find("rooms:save", 1, true), err)
    assert.is_not_nil(err:find("f: a function", 1, true), err)
  end)
end)

describe("an error that stands for another one", function()
  it("has it as its cause", function()
    local store <close> = require("larder").open "memory:"
    local ok, raised = coroutine.wrap(function()
      return pcall(store.update, store, function() coroutine.yield() end)
    end)()
    assert.is_false(ok)
    assert.are.equal("MISUSE", raised.code)
    assert.truthy(raised.cause:find "attempt to yield")
  end)
end)
