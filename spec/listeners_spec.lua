-- What store:on_commit tells, and of which transactions. How listeners are called: listeners_call_spec.lua.
local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- The lists that a listener on this store gets, and the function that ends it.
local function listen(store)
  local lists = {}
  return lists, store:on_commit(function(changes) lists[#lists + 1] = changes end)
end

on_each_engine("a listener", function(given)
  it("is told of documents, by what happened to them", function()
    local lists = listen(given.store)
    local plans = given.store:collection "plans"
    local made = plans:create { title = "made" }
    plans:create { id = 7 }
    plans:put { id = 7, a = 1 }
    plans:put { id = "new" }
    plans:update(7, { a = 2 })
    plans:update(7, function(plan) return plan end)
    plans:update(8, { a = 1 }, { upsert = true })
    plans:delete(7)
    given.store:drop "plans"
    same({
      { { kind = "create", collection = "plans", id = made.id } }, { { kind = "create", collection = "plans", id = 7 } },
      { { kind = "update", collection = "plans", id = 7 } }, { { kind = "create", collection = "plans", id = "new" } },
      { { kind = "update", collection = "plans", id = 7 } }, { { kind = "update", collection = "plans", id = 7 } },
      { { kind = "create", collection = "plans", id = 8 } }, { { kind = "delete", collection = "plans", id = 7 } },
      { { kind = "drop", collection = "plans" } },
    }, lists)
  end)

  it("is told of each document that a filter found", function()
    local plans = given.store:collection "plans"
    for i = 1, 4 do plans:create { id = i, odd = i % 2 == 1 } end
    local lists = listen(given.store)
    plans:update_where({ odd = true }, { seen = true })
    plans:where({ odd = false }):delete()
    same({
      { { kind = "update", collection = "plans", id = 1 }, { kind = "update", collection = "plans", id = 3 } },
      { { kind = "delete", collection = "plans", id = 2 }, { kind = "delete", collection = "plans", id = 4 } },
    }, lists)
  end)

  it("is told of rooms", function()
    local lists, now = {}, 1000
    local store = given.open { clock = function() return now end }
    store:on_commit(function(changes) lists[#lists + 1] = changes end)
    local rooms, folder = store:rooms(), support.folder()
    rooms:save { roomName = "lobby" }
    rooms:save { roomName = "lobby", sort = "random" }
    rooms:rate("lobby", "ada", "movie-7", "like")
    rooms:export(folder)
    rooms:delete "lobby"
    rooms:import(folder)
    now = 5000
    assert.are.equal(1, (rooms:expire { idle = 1 }))
    same({
      { { kind = "save", room = "lobby" } }, { { kind = "save", room = "lobby" } },
      { { kind = "rate", room = "lobby", user = "ada", mediaId = "movie-7" } },
      { { kind = "delete", room = "lobby" } }, { { kind = "save", room = "lobby" } }, { { kind = "delete", room = "lobby" } },
    }, lists)
  end)

  it("is told of the keys of maps", function()
    local lists = listen(given.store)
    local seen = given.store:map "seen"
    seen:set("ada", 1)
    seen:set({ "ada", 2 }, 1)
    seen:set(-3, 1)
    seen:increment({ "n\0", ("x"):rep(600), 5 }, 2)
    seen:delete { -3 }
    seen:delete_range { prefix = { "ada" } }
    same({
      { { kind = "set", map = "seen", key = "ada" } }, { { kind = "set", map = "seen", key = { "ada", 2 } } },
      { { kind = "set", map = "seen", key = -3 } }, { { kind = "set", map = "seen", key = { "n\0", ("x"):rep(600), 5 } } },
      { { kind = "delete", map = "seen", key = -3 } }, { { kind = "delete_range", map = "seen" } },
    }, lists)
  end)

  it("is told names and ids of any bytes and length", function()
    local long, odd, lists = ("n"):rep(1023), "\0\xff", listen(given.store)
    given.store:update(function(tx)
      tx:collection(long):create { id = odd }
      tx:collection(odd):create { id = math.mininteger }
      tx:map(odd):set(math.maxinteger, 1)
      tx:rooms():save { roomName = odd }
      tx:rooms():rate(odd, odd, long, "like")
    end)
    same({ {
      { kind = "create", collection = long, id = odd }, { kind = "create", collection = odd, id = math.mininteger },
      { kind = "set", map = odd, key = math.maxinteger }, { kind = "save", room = odd },
      { kind = "rate", room = odd, user = odd, mediaId = long },
    } }, lists)
  end)

  it("is not told of what changed nothing, or failed", function()
    local store = given.store
    local rooms, seen, plans = store:rooms(), store:map "seen", store:collection "plans"
    rooms:save { roomName = "a" }
    rooms:rate("a", "jo", "m", "like")
    seen:set("k", "v")
    plans:create { id = 1, n = "one" }
    local lists = listen(store)
    rooms:rate("a", "jo", "m", "dislike")
    rooms:delete "nowhere"
    rooms:expire { idle = 1000 }
    seen:set("k", 2, { if_absent = true })
    seen:delete "absent"
    seen:delete_range { from = "x" }
    plans:delete "absent"
    assert.is_nil(plans:update("absent", { a = 1 }))
    store:drop "nothing"
    raises("EXISTS", nil, plans.create, plans, { id = 1 })
    raises("CONFLICT", nil, plans.put, plans, { id = 1 }, { if_rev = 99 })
    raises("INVALID", nil, plans.update_where, plans, {}, { ["$inc"] = { n = 1 } })
    raises("INVALID", nil, seen.increment, seen, "k")
    raises("NOTFOUND", nil, rooms.rate, rooms, "nowhere", "jo", "m", "like")
    plans:find {}
    store:view(function(tx) tx:rooms():get "a" end)
    store:update(function() end)
    support.none(lists)
  end)

  it("gets nothing but the list", function()
    local count
    given.store:on_commit(function(...) count = select("#", ...) return "ignored" end)
    given.store:map("m"):set(1, 1)
    assert.are.equal(1, count)
  end)
end)

on_each_engine("a transaction that is listened to", function(given)
  it("is told of once, whole, in the order of its changes, after it was committed", function()
    local lists, open = {}, true
    given.store:on_commit(function(changes)
      assert(not open and given.rooms:has "a")
      lists[#lists + 1] = changes
    end)
    local result = given.store:update(function(tx)
      tx:rooms():save { roomName = "a" }
      tx:map("m"):set(1, 2)
      tx:rooms():rate("a", "jo", "m", "like")
      open = false
      return "result"
    end)
    assert.are.equal("result", result)
    same({ { { kind = "save", room = "a" }, { kind = "set", map = "m", key = 1 },
      { kind = "rate", room = "a", user = "jo", mediaId = "m" } } }, lists)
  end)

  it("is told of when begin and commit make it", function()
    local lists = listen(given.store)
    local tx = given.store:begin "write"
    tx:map("m"):set(1, 2)
    support.none(lists)
    tx:commit()
    same({ { { kind = "set", map = "m", key = 1 } } }, lists)
  end)

  it("is not told of when it is rolled back", function()
    local lists = listen(given.store)
    pcall(given.store.update, given.store, function(tx)
      tx:map("m"):set(1, 2)
      error "no"
    end)
    local tx = given.store:begin()
    tx:map("m"):set(1, 2)
    tx:rollback()
    do
      local left <close> = given.store:begin()
      left:map("m"):set(1, 2)
    end
    given.store:begin():map("m"):set(1, 2)
    collectgarbage()
    collectgarbage()
    support.none(lists)
    given.store:map("m"):set(3, 4)
    same({ { { kind = "set", map = "m", key = 3 } } }, lists)
  end)

  it("gives what nested ones have changed, but for those that were rolled back", function()
    local lists = listen(given.store)
    local function set(tx, key) tx:map("m"):set(key, true) end
    given.store:update(function(tx)
      pcall(tx.update, tx, function(inner) set(inner, "no 1") error "no" end)
      set(tx, 1)
      tx:update(function(inner)
        set(inner, 2)
        local innermost = inner:begin()
        set(innermost, "no 2")
        innermost:rollback()
        inner:update(function(deep) set(deep, 3) end)
        assert.is_nil(lists[1])
      end)
      pcall(tx.update, tx, function(inner)
        inner:update(function(deep) set(deep, "no 3") end)
        error "no"
      end)
      set(tx, 4)
    end)
    assert.are.equal(1, #lists)
    local keys = {}
    for i, change in ipairs(lists[1]) do keys[i] = change.key end
    same({ 1, 2, 3, 4 }, keys)
  end)

  it("is told of whole, or not at all, to who comes in the middle of it", function()
    local early, late = listen(given.store), nil
    given.store:update(function(tx)
      tx:map("m"):set(1, 1)
      late = listen(given.store)
      tx:map("m"):set(2, 2)
      tx:update(function(inner) inner:map("m"):set(3, 3) end)
    end)
    same({ 3, 0 }, { #early[1], #late })
    given.store:map("m"):set(4, 4)
    same({ { { kind = "set", map = "m", key = 4 } } }, late)
  end)
end)

describe("a transaction that runs again", function()
  after_each(support.remove_folders)

  it("is told of once", function()
    local log = {}
    local store <close> = larder.open { engine = "lmdb", path = support.folder(), map_size = "1MiB", durability = "none",
      log = function(_, line) log[#log + 1] = line end }
    local lists, runs, text = listen(store), 0, ("x"):rep(3000000)
    store:update(function(tx)
      runs = runs + 1
      tx:map("m"):set(runs, text)
    end)
    assert.is_true(runs > 1)
    same({ { { kind = "set", map = "m", key = runs } } }, lists)
    local before = #log
    store:map("m"):set("large", text:rep(5))
    assert.truthy(table.concat(log, "\n", before + 1):find("retry: map:set", 1, true))
    same({ { kind = "set", map = "m", key = "large" } }, lists[2])
    assert.are.equal(2, #lists)
  end)
end)
