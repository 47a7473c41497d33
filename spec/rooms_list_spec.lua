local support = require "support"

local on_each_engine, same, none, raises = support.on_each_engine, support.same, support.none, support.raises
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

local function room_names(list)
  local names = {}
  for i, room in ipairs(list) do names[i] = room.roomName end
  return names
end

on_each_engine("rooms:names, each and list", function(given)
  it("are empty without rooms", function()
    none(collect(given.rooms:names()))
    none(collect(given.rooms:each()))
    none(given.rooms:list())
  end)

  it("are in the order of the names' bytes", function()
    local names = { "", "a", "A", "a\0", "a\0b", "aa", "a\x01", "b", "\xff", "\xff\xff", "\0", "é", "Z", "10", "9", ("a"):rep(400) }
    names[1] = " "
    for _, name in ipairs(names) do given.rooms:save { roomName = name } end
    table.sort(names)
    same(names, collect(given.rooms:names()))
    same(names, collect(given.rooms:each()))
    same(names, room_names(given.rooms:list()))
  end)

  it("give every room once, long names too", function()
    local names = fill(given.store, 700)
    exactly(names, collect(given.rooms:names()))
    exactly(names, collect(given.rooms:each()))
    exactly(names, room_names(given.rooms:list()))
  end)

  it("give rooms without password, ratings and progress", function()
    fill(given.store, 3)
    given.rooms:rate("0001", "al", "m", "like", 1)
    local want = { { roomName = "0001", n = 1 }, { roomName = "0002", n = 2 }, { roomName = "0003", n = 3 } }
    same(want, given.rooms:list())
    local got = {}
    for name, room in given.rooms:each() do
      assert.are.equal(name, room.roomName)
      got[#got + 1] = room
    end
    same(want, got)
  end)

  it("give ratings and progress, but no password, with each{ ratings = true }", function()
    fill(given.store, 2)
    local got = {}
    for _, room in given.rooms:each { ratings = true } do got[#got + 1] = room end
    same({
      { roomName = "0001", n = 1, ratings = { m1 = { { "jo", "like", 1 } } }, userProgress = { jo = 1 } },
      { roomName = "0002", n = 2, ratings = { m2 = { { "jo", "like", 2 } } }, userProgress = { jo = 2 } },
    }, got)
  end)
end)

on_each_engine("rooms:list", function(given)
  local function listed(options) return table.concat(room_names(given.rooms:list(options)), " ") end
  before_each(function()
    for _, name in ipairs { "a", "aa", "ab", "ab\xff", "abc", "ac", "b" } do given.rooms:save { roomName = name } end
  end)

  it("takes a prefix", function()
    assert.are.equal("ab abc ab\xff", listed { prefix = "ab" })
    assert.are.equal("b", listed { prefix = "b" })
    assert.are.equal("a aa ab abc ab\xff ac b", listed { prefix = "" })
    assert.are.equal("", listed { prefix = "abcd" })
    assert.are.equal("ab\xff", listed { prefix = "ab\xff" })
    assert.are.equal("", listed { prefix = "\xff" })
    assert.are.equal("", listed { prefix = "a\0" })
  end)

  it("begins behind a name, whether it is there or not", function()
    assert.are.equal("ab abc ab\xff ac b", listed { after = "aa" })
    assert.are.equal("abc ab\xff ac b", listed { after = "abb" })
    assert.are.equal("", listed { after = "b" })
    assert.are.equal("a aa ab abc ab\xff ac b", listed { after = "A" })
    assert.are.equal("abc ab\xff", listed { prefix = "ab", after = "ab" })
    assert.are.equal("ab abc ab\xff", listed { prefix = "ab", after = "a" })
    assert.are.equal("", listed { prefix = "ab", after = "ac" })
  end)

  it("ends at a limit", function()
    assert.are.equal("a aa", listed { limit = 2 })
    assert.are.equal("", listed { limit = 0 })
    assert.are.equal("a aa ab abc ab\xff ac b", listed { limit = math.maxinteger })
    assert.are.equal("abc", listed { prefix = "ab", after = "ab", limit = 1 })
  end)

  it("goes through all rooms page by page", function()
    local pages, after = {}, nil
    repeat
      local page = given.rooms:list { after = after, limit = 3 }
      for _, room in ipairs(page) do pages[#pages + 1] = room.roomName end
      after = page[1] and page[#page].roomName
    until not after
    assert.are.equal("a aa ab abc ab\xff ac b", table.concat(pages, " "))
  end)

  it("refuses what it does not know", function()
    for _, limit in ipairs { -1, 1.5, "1", 0 / 0, math.huge, true } do
      raises("INVALID", "limit", given.rooms.list, given.rooms, { limit = limit })
    end
    raises("INVALID", "prefix", given.rooms.list, given.rooms, { prefix = 5 })
    raises("INVALID", "after", given.rooms.list, given.rooms, { after = {} })
    raises("INVALID", { "prefx", "prefix" }, given.rooms.list, given.rooms, { prefx = "a" })
    raises("INVALID", nil, given.rooms.list, given.rooms, "a")
    raises("INVALID", { "rating", "ratings" }, given.rooms.each, given.rooms, { rating = true })
  end)
end)

on_each_engine("prefix search", function(given)
  it("is right for long names, and for long prefixes", function()
    local base = ("p"):rep(600)
    local names = { "p", base, base .. "a", base .. "b", ("p"):rep(399) .. "q" }
    for _, length in ipairs { 400, 511, 512, 1023 } do names[#names + 1] = ("p"):rep(length) end
    for _, name in ipairs(names) do given.rooms:save { roomName = name } end
    local prefixes = { "", "p", base, base .. "a", base .. "c" }
    for _, length in ipairs { 399, 400, 401, 511, 512, 1023, 2000 } do prefixes[#prefixes + 1] = ("p"):rep(length) end
    for _, prefix in ipairs(prefixes) do
      local want = {}
      for _, name in ipairs(names) do
        if name:sub(1, #prefix) == prefix then want[#want + 1] = name end
      end
      exactly(want, room_names(given.rooms:list { prefix = prefix }))
      exactly(want, collect(given.rooms:names { prefix = prefix }))
    end
  end)

  it("pages through long names with the same beginning, each once", function()
    local names, got, after = {}, {}, nil
    for i = 1, 40 do
      names[i] = ("s"):rep(500) .. (i * 7919 % 100)
      given.rooms:save { roomName = names[i] }
    end
    repeat
      local page = room_names(given.rooms:list { prefix = "s", after = after, limit = 7 })
      table.move(page, 1, #page, #got + 1, got)
      after = page[#page]
    until not after or #got > 100
    exactly(names, got)
  end)
end)
