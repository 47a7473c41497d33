local support = require "support"

local on_each_engine, same, none, raises = support.on_each_engine, support.same, support.none, support.raises

local function deep(levels)
  local value = {}
  for _ = 2, levels do value = { value } end
  return value
end

on_each_engine("names", function(given)
  local names = {
    "a", " ", "\n", "/", "//", ".", "..", "../..", "../../etc/passwd", "a/b", "a\\b", "C:", "%2e%2e", "~", "*",
    "\0", "\0\0", "\0a", "a\0", "a\0\0", "a\0b", "a\0\xff", "a\xff", "a\x01", "\xff", "\xff\0", "\xff\xff", "\xc0\x80", "\xed\xa0\x80",
    "äöü", "\u{10FFFF}", "A", "aa", "1", "-1", "1.0", "true", "nil", "roomName", "ratings", "$set", "a.b", "__index",
    ("x"):rep(255), ("x"):rep(256), ("x"):rep(510), ("x"):rep(511), ("x"):rep(512), ("x"):rep(513), ("x"):rep(1022), ("x"):rep(1023),
    ("x"):rep(511) .. "\0", ("x"):rep(1022) .. "y", "y" .. ("x"):rep(1022), ("\0"):rep(511), ("\0"):rep(512), ("\0"):rep(1023),
    ("\xff"):rep(511), ("\xff"):rep(512), ("\xff"):rep(1023), ("ä"):rep(511),
  }
  local function room(name, i)
    return {
      roomName = name, i = i,
      ratings = { ["m" .. i] = { { "jo", "like", i }, { name, "like", i } } }, userProgress = { [name] = i },
    }
  end
  local function save_all()
    given.store:update(function(tx)
      for i, name in ipairs(names) do tx:rooms():save(room(name, i)) end
    end)
  end

  it("of any bytes up to 1,023 of them stand each for a room of its own", function()
    save_all()
    for i, name in ipairs(names) do
      same(room(name, i), given.rooms:get(name))
      assert.is_true(given.rooms:has(name))
      same({ { mediaId = "m" .. i, users = { "jo", name }, matchedAt = i } }, given.rooms:matches(name))
      same({ rated = true, progress = 1 }, given.rooms:rate(name, "new", "m0", "like", i))
    end
    assert.are.equal(#names, given.rooms:stats().rooms)
  end)

  it("leave each other alone when one goes", function()
    save_all()
    for i, name in ipairs(names) do
      assert.is_true(given.rooms:delete(name))
      assert.is_false(given.rooms:has(name))
      for k = i + 1, math.min(i + 5, #names) do same(room(names[k], k), given.rooms:get(names[k])) end
    end
    same(0, given.rooms:stats().ratings)
    none(given.rooms:list())
  end)
end)

--- Every way to give a room's name, with the rest as it should be.
local function with_name(rooms)
  return {
    save = function(name) return rooms:save { roomName = name } end,
    get = function(name) return rooms:get(name) end,
    has = function(name) return rooms:has(name) end,
    delete = function(name) return rooms:delete(name) end,
    rate = function(name) return rooms:rate(name, "jo", "m", "like", 1) end,
    matches = function(name) return rooms:matches(name) end,
    check_password = function(name) return rooms:check_password(name, "x") end,
  }
end

on_each_engine("names", function(given)
  it("that are no strings are INVALID everywhere", function()
    for _, call in pairs(with_name(given.rooms)) do
      for _, name in ipairs { 5, 1.5, true, false, {}, print, coroutine.create(print), io.stdout } do
        raises("INVALID", "ame", call, name)
      end
      raises("INVALID", "ame", call, nil)
    end
    none(given.rooms:list())
  end)

  it("that are empty or too long cannot be saved", function()
    raises("INVALID", { "roomName", "empty" }, given.rooms.save, given.rooms, { roomName = "" })
    for _, length in ipairs { 1024, 1025, 2000, 70000, 1 << 20 } do
      raises("TOOBIG", { "roomName", "1023" }, given.rooms.save, given.rooms, { roomName = ("x"):rep(length) })
    end
    none(given.rooms:list())
  end)

  it("that are empty or too long are no rooms elsewhere, or an error, but nothing worse", function()
    given.rooms:save { roomName = ("x"):rep(1023) }
    for _, name in ipairs { "", ("x"):rep(1024), ("x"):rep(1 << 20) } do
      for method, call in pairs(with_name(given.rooms)) do
        local ok, result = pcall(call, name)
        assert.is_true(not ok or not result, method)
        assert.is_true(ok or result.code == "INVALID" or result.code == "TOOBIG" or result.code == "NOTFOUND", method)
      end
    end
    same({ roomName = ("x"):rep(1023) }, given.rooms:get(("x"):rep(1023)))
  end)
end)

--- Saving `fields` must raise `code`, naming `path`, and leave the room "kept", the only one, as it was.
local function refuses(given, code, path, fields)
  local kept = { roomName = "kept", ratings = { m = { { "jo", "like", 1 } } }, userProgress = { jo = 1 } }
  given.rooms:save(kept)
  local entries = given.store:stats().entries
  for _, name in ipairs { "kept", "other" } do
    fields.roomName = name
    local raised = raises(code, path, given.rooms.save, given.rooms, fields)
    assert.is_true(#raised.message < 2000, "the message is too long")
    same(kept, given.rooms:get "kept")
    assert.is_false(given.rooms:has "other")
    assert.are.equal(entries, given.store:stats().entries)
  end
end

on_each_engine("a room", function(given)
  it("that is no table is INVALID", function()
    for _, room in ipairs { "x", 5, 1.5, true, print, coroutine.create(print), io.stdout, given.store } do
      raises("INVALID", nil, given.rooms.save, given.rooms, room)
    end
    raises("INVALID", nil, given.rooms.save, given.rooms)
    raises("INVALID", nil, given.rooms.save, given.rooms, nil)
    none(given.rooms:list())
  end)

  it("that misses roomName is INVALID", function()
    raises("INVALID", "roomName", given.rooms.save, given.rooms, {})
    raises("INVALID", "roomName", given.rooms.save, given.rooms, { "roomName" })
    raises("INVALID", "roomName", given.rooms.save, given.rooms, { roomname = "x", ["roomName "] = "y" })
    none(given.rooms:list())
  end)

  it("that holds what cannot be stored is INVALID, naming the path", function()
    refuses(given, "INVALID", { "f:", "function" }, { f = print })
    refuses(given, "INVALID", { "a.b[3]", "function" }, { a = { b = { 1, 2, function() end } } })
    refuses(given, "INVALID", { "a.b", "thread" }, { a = { b = coroutine.create(print) } })
    refuses(given, "INVALID", { "a", "userdata" }, { a = io.stdout })
    refuses(given, "INVALID", { "filters[2].value" }, { filters = { {}, { value = given.store } } })
    refuses(given, "INVALID", { "ratings.m[1]" }, { ratings = { m = { print } } })
    refuses(given, "INVALID", nil, { a = { [print] = 1 } })
    refuses(given, "INVALID", nil, { a = { [{}] = 1 } })
  end)

  it("that holds itself or is too deep is INVALID, naming the path", function()
    local own = {}
    own.own = own
    refuses(given, "INVALID", "own", own)
    local far = { b = { {} } }
    far.b[1].c = far.b
    refuses(given, "INVALID", "a.b[1].c", { a = far })
    refuses(given, "INVALID", { "a[1][1]", "128" }, { a = deep(129) })
    refuses(given, "INVALID", { "a[1][1]", "128" }, { a = deep(10000) })
    refuses(given, "INVALID", "a", { a = deep(200000) })
    refuses(given, "INVALID", "ratings", { ratings = deep(10000) })
  end)
end)

on_each_engine("ratings", function(given)
  it("are a table by media", function()
    for _, ratings in ipairs { 5, 1.5, true, "like", "" } do refuses(given, "INVALID", "ratings", { ratings = ratings }) end
    refuses(given, "INVALID", "ratings", { ratings = { { "jo", "like", 1 } } })
    refuses(given, "INVALID", "ratings", { ratings = { { { "jo", "like", 1 } } } })
    refuses(given, "INVALID", "ratings", { ratings = { [true] = { { "jo", "like", 1 } } } })
    refuses(given, "INVALID", "ratings", { ratings = { [1.5] = {} } })
    refuses(given, "TOOBIG", { "ratings", "1023" }, { ratings = { [("m"):rep(1024)] = { { "jo", "like", 1 } } } })
  end)

  it("of a medium are a list", function()
    for _, list in ipairs { 5, 1.5, true, "like" } do refuses(given, "INVALID", "ratings.m", { ratings = { m = list } }) end
    refuses(given, "INVALID", "ratings.m", { ratings = { m = { jo = { "jo", "like", 1 } } } })
    refuses(given, "INVALID", "ratings.m", { ratings = { m = { [2] = { "jo", "like", 1 } } } })
    refuses(given, "INVALID", "ratings.m", { ratings = { m = { { "jo", "like", 1 }, x = 1 } } })
    refuses(given, "INVALID", "ratings.m[1]", { ratings = { m = { "jo", "like", 1 } } })
    refuses(given, "INVALID", "ratings.m[2]", { ratings = { m = { { "jo", "like", 1 }, "al" } } })
  end)

  it("are each a list of user, rating and time", function()
    local function refused(path, vote) refuses(given, "INVALID", path, { ratings = { good = { { "a", "like", 1 } }, m = { vote } } }) end
    refused("ratings.m[1]", {})
    refused("ratings.m[1]", { "jo" })
    refused("ratings.m[1]", { "jo", "like" })
    refused("ratings.m[1]", { "jo", "like", 1, 2 })
    refused("ratings.m[1]", { user = "jo", rating = "like", time = 1 })
    refused("ratings.m[1]", { "jo", "like", time = 1 })
    refused("ratings.m[1]", { "jo", nil, 1 })
    refused("ratings.m[1]", { nil, "like", 1 })
    refused("ratings.m[1]", { { "jo", "like", 1 } })
  end)
end)

on_each_engine("ratings", function(given)
  local function refused(path, vote)
    refuses(given, "INVALID", path, { ratings = { ["media-1"] = { { "a", "like", 1 }, { "b", "like", 1 }, vote } } })
  end

  it("are of users", function()
    for _, user in ipairs { 5, 1.5, true, {} } do refused("ratings.media-1[3][1]", { user, "like", 1 }) end
    refuses(given, "TOOBIG", { "ratings.m[1][1]", "1023" }, { ratings = { m = { { ("u"):rep(1024), "like", 1 } } } })
  end)

  it("are \"like\" or \"dislike\"", function()
    for _, rating in ipairs { "", "Like", "likes", "meh", "\0", 5, true, {} } do refused("ratings.media-1[3][2]", { "jo", rating, 1 }) end
  end)

  it("have a time", function()
    for _, time in ipairs { "1", "", true, {} } do refused("ratings.media-1[3][3]", { "jo", "like", time }) end
  end)

  it("are all refused for one of them, wherever it is", function()
    local ratings = {}
    for i = 1, 500 do ratings["m" .. i] = { { "jo", "like", i } } end
    ratings.m333[1][2] = "meh"
    refuses(given, "INVALID", "ratings.m333[1][2]", { ratings = ratings })
  end)
end)

on_each_engine("userProgress", function(given)
  it("is a table of whole numbers by user", function()
    for _, progress in ipairs { 5, true, "jo", { 5 }, { [1.5] = 1 } } do
      refuses(given, "INVALID", "userProgress", { userProgress = progress })
    end
    for _, count in ipairs { "5", true, {}, 1.5, 0 / 0 } do
      refuses(given, "INVALID", "userProgress.jo", { userProgress = { al = 1, jo = count } })
    end
    refuses(given, "TOOBIG", { "userProgress", "1023" }, { userProgress = { [("u"):rep(1024)] = 1 } })
  end)
end)

on_each_engine("bad input", function(given)
  it("caught inside an update leaves nothing behind, and the rest is committed", function()
    given.store:update(function(tx)
      local rooms = tx:rooms()
      rooms:save { roomName = "a", ratings = { m = { { "jo", "like", 1 } } } }
      raises("INVALID", "ratings.n", rooms.save, rooms, { roomName = "a", ratings = { m = {}, n = { 5 } } })
      raises("INVALID", "f", rooms.save, rooms, { roomName = "b", f = print })
      raises("INVALID", "rating", rooms.rate, rooms, "a", "al", "m", "meh")
      raises("NOTFOUND", "c", rooms.rate, rooms, "c", "al", "m", "like")
      rooms:save { roomName = "d" }
    end)
    same({ roomName = "a", ratings = { m = { { "jo", "like", 1 } } } }, given.rooms:get "a")
    same({ "a", "d" }, support.collect(given.rooms:names()))
  end)
end)
