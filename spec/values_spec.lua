local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- `levels` tables in each other.
local function nested(levels)
  local value = {}
  for _ = 2, levels do value = { value } end
  return value
end

--- What comes back for `value`, as a field of a room.
local function round(given, value)
  given.rooms:save { roomName = "v", value = value }
  return given.rooms:get("v").value
end

on_each_engine("a value", function(given)
  local function keeps(value) same(value, round(given, value)) end

  it("keeps integers and floats apart, exactly", function()
    local integers = { 0, 1, -1, math.maxinteger, math.mininteger, math.maxinteger - 1, math.mininteger + 1 }
    for _, power in ipairs { 5, 7, 8, 15, 16, 31, 32, 52, 53, 54, 62 } do
      for _, off in ipairs { -1, 0, 1 } do
        integers[#integers + 1] = (1 << power) + off
        integers[#integers + 1] = -(1 << power) + off
      end
    end
    for _, integer in ipairs(integers) do
      keeps(integer)
      keeps(integer + 0.0)
    end
    keeps(integers)
  end)

  it("keeps every kind of float", function()
    local floats = { 0.0, -0.0, 0.1, -1.5, 1e300, -1e-300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.pi, 1 / 3 }
    for _, float in ipairs(floats) do keeps(float) end
    for _, float in ipairs { math.huge, -math.huge, 0 / 0, -(0 / 0), 2.0 ^ 53, 2.0 ^ 63, -2.0 ^ 63, 16777217.0 } do keeps(float) end
  end)

  it("keeps strings of any bytes and length", function()
    local strings = { "", "a", "\0", "a\0b", "äöü", "\u{0}\u{7FF}\u{FFFF}\u{10FFFF}",
      "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ab\xe2\x82" }
    for _, length in ipairs { 31, 32, 255, 256, 65535, 65536, 1 << 20 } do
      strings[#strings + 1] = ("x"):rep(length)
      strings[#strings + 1] = ("\xfe"):rep(length)
    end
    for _, string in ipairs(strings) do keeps(string) end
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    keeps(table.concat(all))
  end)

  it("keeps booleans and null, and no field for nil", function()
    keeps(true)
    keeps(false)
    keeps(nil)
    keeps(larder.null)
    keeps { a = larder.null, b = { larder.null, larder.null }, c = false }
    given.rooms:save { roomName = "v", a = nil }
    same({ roomName = "v" }, given.rooms:get "v")
  end)

  it("keeps empty maps and empty arrays apart", function()
    keeps {}
    keeps(larder.array {})
    keeps { a = {}, b = larder.array {}, c = { {}, larder.array {}, { larder.array {} } } }
    same({ 1, 2 }, round(given, larder.array { 1, 2 }))
  end)
end)

on_each_engine("a table", function(given)
  local function keeps(value) same(value, round(given, value)) end

  it("keeps arrays of every length", function()
    for _, length in ipairs { 1, 2, 15, 16, 17, 255, 256, 65535, 65536 } do
      local array = {}
      for i = 1, length do array[i] = i end
      keeps(array)
    end
    keeps { 1, 1.5, "a", true, larder.null, {}, { {} } }
  end)

  it("keeps maps of every size", function()
    for _, size in ipairs { 1, 15, 16, 17, 255, 256, 65536 } do
      local map = {}
      for i = 1, size do map["key " .. i] = i end
      keeps(map)
    end
  end)

  it("keeps keys of every kind", function()
    keeps { [true] = 1, [false] = 0 }
    keeps { [0] = "a", [-1] = "b", [math.maxinteger] = "c", [math.mininteger] = "d" }
    keeps { [1.5] = "a", [-0.25] = "b", [math.huge] = "c", [-math.huge] = "d", [1e300] = "e", [5e-324] = "f" }
    keeps { [""] = 1, ["\0"] = 2, ["\xff"] = 3, ["ä"] = 4, ["a.b"] = 5, ["$set"] = 6, ["1"] = 7, [("k"):rep(70000)] = 8 }
    keeps { [1] = "integer", ["1"] = "string", [true] = "boolean", [1.5] = "float", ["true"] = "string", ["1.5"] = "string" }
    keeps { ["$numberLong"] = "1", ["$binary"] = {}, ["$map"] = larder.array {}, __index = 1, ["nil"] = 2 }
  end)

  it("keeps sparse and mixed tables", function()
    keeps { 1, nil, 3 }
    keeps { nil, 2 }
    keeps { [2] = "b" }
    keeps { [1] = "a", [1000000] = "b" }
    keeps { [0] = "zero", "one", "two" }
    keeps { "one", "two", x = 1 }
    keeps { "one", [3] = "three", [-1] = "minus", [2.5] = "half", x = {} }
    keeps(table.pack(nil, 2, nil))
  end)

  it("keeps an XMPP stanza", function()
    keeps {
      name = "message", attr = { to = "jo@example.org", ["xml:lang"] = "en", ["urn:x\1type"] = "y" },
      { name = "body", attr = {}, "Hello ", { name = "b", attr = larder.array {}, "you" }, "!" },
      { name = "delay", attr = { xmlns = "urn:xmpp:delay" } }, "\n", tags = {}, last_add = {},
    }
  end)

  it("may stand in several places", function()
    local shared = { 1, { x = 2 } }
    same({ a = { 1, { x = 2 } }, b = { { 1, { x = 2 } } } }, round(given, { a = shared, b = { shared } }))
  end)

  it("is stored as it is, without its metamethods", function()
    local function never() error "a metamethod was called" end
    local value = setmetatable({ 1, x = 2 }, { __index = never, __len = never, __pairs = never, __tostring = never, __name = 5 })
    given.rooms:save { roomName = "v", value = value }
    same({ 1, x = 2 }, given.rooms:get("v").value)
    assert.is_nil(getmetatable(given.rooms:get("v").value))
  end)
end)

on_each_engine("a document", function(given)
  it("goes 128 tables deep and no deeper", function()
    local deepest = { roomName = "v", value = nested(127) }
    given.rooms:save(deepest)
    same(deepest, given.rooms:get "v")
    for _, levels in ipairs { 128, 129, 1000, 10000, 100000 } do
      raises("INVALID", { "value[1][1]", "128" }, given.rooms.save, given.rooms, { roomName = "v", value = nested(levels) })
    end
    same(deepest, given.rooms:get "v")
  end)

  it("is given again on any Lua stack", function()
    given.rooms:save { roomName = "v", value = nested(127) }
    local function down(levels)
      if levels == 0 then return given.rooms:get "v" end
      return (down(levels - 1))
    end
    same(nested(127), down(150).value)
    same(nested(127), coroutine.wrap(down)(150).value)
  end)

  it("names the path of what cannot be stored", function()
    local function refuses(path, value) raises("INVALID", path, given.rooms.save, given.rooms, { roomName = "v", value = value }) end
    refuses({ "value:", "function" }, print)
    refuses({ "value.a[2].b", "function" }, { a = { 1, { b = function() end } } })
    refuses({ "value[1]", "userdata" }, { io.stdout })
    refuses({ "value.x", "userdata" }, { x = given.rooms })
    refuses({ "value[true]", "thread" }, { [true] = coroutine.create(print) })
    refuses({ "value[-1]", "function" }, { [-1] = print })
    refuses({ "value[1.5]", "function" }, { [1.5] = print })
    refuses({ 'value["a b"]', "function" }, { ["a b"] = print })
    refuses({ 'value["a.b"].c', "function" }, { ["a.b"] = { c = print } })
    refuses("value", { ["\0\xff"] = print })
    refuses("value", { [("k"):rep(100000)] = print })
  end)

  it("has no keys of other kinds", function()
    for _, key in ipairs { print, {}, io.stdout, coroutine.create(print), given.store, larder.null } do
      raises("INVALID", "value.a", given.rooms.save, given.rooms, { roomName = "v", value = { a = { [key] = 1 } } })
    end
  end)

  it("has no cycle", function()
    local a, b = {}, {}
    a.b, b[1] = b, a
    raises("INVALID", "value.b[1]", given.rooms.save, given.rooms, { roomName = "v", value = a })
    local room = { roomName = "v" }
    room.value = { { room } }
    raises("INVALID", "value[1][1]", given.rooms.save, given.rooms, room)
    assert.is_false(given.rooms:has "v")
  end)
end)

local scalars = {
  function() return math.random(0) end,
  function() return math.random(-40, 300) end,
  function() return (math.random() - 0.5) * 2.0 ^ math.random(-60, 60) end,
  function() return math.random(10) + 0.0 end,
  function() return math.random(2) == 1 end,
  function() return larder.null end,
  function() return larder.array {} end,
  function()
    local bytes = {}
    for i = 1, math.random(0, 40) do bytes[i] = string.char(math.random(0, 255)) end
    return table.concat(bytes)
  end,
  function() return ("é"):rep(math.random(0, 40)) end,
}

local function random_value(depth)
  if depth == 0 or math.random(3) == 1 then return scalars[math.random(#scalars)]() end
  local value, array = {}, math.random(2) == 1
  for i = 1, math.random(0, 8) do
    local key = array and i or scalars[math.random(#scalars)]()
    if type(key) ~= "table" and key ~= larder.null and key == key then value[key] = random_value(depth - 1) end
  end
  return value
end

on_each_engine("random documents", function(given)
  it("come back as they were", function()
    support.at_random(function()
      for _ = 1, 400 do
        local value = random_value(5)
        same(value, round(given, value))
      end
    end)
  end)

  it("come back as they were while garbage is collected all the time", function()
    support.at_random(function()
      support.with_constant_collection(function()
        for _ = 1, 100 do
          local value = random_value(4)
          same(value, round(given, value))
        end
      end)
    end)
  end)
end)
