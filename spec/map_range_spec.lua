local support = require "support"

local on_each_engine, same, raises, collect = support.on_each_engine, support.same, support.raises, support.collect

local function keys_of(map, range)
  return collect(map:range(range))
end

local function fill(map, keys)
  for _, key in ipairs(keys) do map:set(key, key) end
end

on_each_engine("a range", function(given)
  local map
  before_each(function() map = given.store:map "m" end)

  it("goes in order of keys, both ways", function()
    local keys = { -7, 0, 1, { 1, "a" }, 2, 10, "", "a", { "a", 1 }, { "a", "b" }, "a\0", "aa", "b", "\xff", "\xff\xff" }
    for i = #keys, 1, -1 do map:set(keys[i], i) end
    same(keys, keys_of(map))
    local back = {}
    for key, value in map:range { reverse = true } do
      same(keys[value], key)
      back[#back + 1] = value
    end
    assert.are.equal(#keys, #back)
    for i, value in ipairs(back) do assert.are.equal(#keys + 1 - i, value) end
  end)

  it("has closed ends unless they are open, the lower one in from, reversed too", function()
    fill(map, { 1, 2, 3, 4, 5 })
    same({ 2, 3, 4 }, keys_of(map, { from = 2, to = 4 }))
    same({ 3, 4 }, keys_of(map, { from = 2, to = 4, from_open = true }))
    same({ 2, 3 }, keys_of(map, { from = 2, to = 4, to_open = true }))
    same({ 4, 3, 2 }, keys_of(map, { from = 2, to = 4, reverse = true }))
    same({ 3 }, keys_of(map, { from = 2, to = 4, from_open = true, to_open = true, reverse = true }))
    same({}, keys_of(map, { from = 4, to = 2 }))
    same({}, keys_of(map, { from = 2, to = 2, to_open = true }))
    same({ 1, 2, 3, 4, 5 }, keys_of(map, { from_open = true, to_open = true }))
  end)

  it("takes a limit", function()
    for i = 1, 300 do map:set(i, i) end
    for _, limit in ipairs { 0, 1, 63, 64, 65, 299, 300, 301 } do
      assert.are.equal(math.min(limit, 300), #keys_of(map, { limit = limit }))
      assert.are.equal(math.min(limit, 300), #keys_of(map, { limit = limit, reverse = true }))
    end
    same({ 300, 299 }, keys_of(map, { limit = 2, reverse = true }))
  end)

  it("takes bytes of a string as prefix, whichever they are", function()
    local keys = { "", "a", { "a", 1 }, "a\0b", "a\xff", { "a\xff", "x" }, "a\xff\xff", "a\xff\xffz", "b", "\xff", "\xff\xff" }
    fill(map, keys)
    map:set(5, 5)
    map:set({ 5, "a" }, 5)
    same({ "a", { "a", 1 }, "a\0b", "a\xff", { "a\xff", "x" }, "a\xff\xff", "a\xff\xffz" }, keys_of(map, { prefix = "a" }))
    same({ "a\xff\xffz", "a\xff\xff", { "a\xff", "x" }, "a\xff" }, keys_of(map, { prefix = "a\xff", reverse = true }))
    same({ "a\xff\xff", "a\xff\xffz" }, keys_of(map, { prefix = "a\xff\xff" }))
    same({ "\xff\xff", "\xff" }, keys_of(map, { prefix = "\xff", reverse = true }))
    same({ "a\0b" }, keys_of(map, { prefix = "a\0" }))
    same(keys, keys_of(map, { prefix = "" }))
  end)

  it("takes whole parts as prefix", function()
    fill(map, { 5, { 5, "a" }, { 5, "a", 1 }, { 5, "ab" }, 6, 55, "a", { "a", 5 }, "a\0b", "ab" })
    same({ 5, { 5, "a" }, { 5, "a", 1 }, { 5, "ab" } }, keys_of(map, { prefix = 5 }))
    same({ { 5, "a", 1 }, { 5, "a" } }, keys_of(map, { prefix = { 5, "a" }, reverse = true }))
    same({ "a", { "a", 5 } }, keys_of(map, { prefix = { "a" } }))
    same({}, keys_of(map, { prefix = { "a", 6 } }))
  end)

  it("is what is in the prefix and between the ends", function()
    fill(map, { "a1", "a2", "a3", "b1" })
    same({ "a2", "a3" }, keys_of(map, { prefix = "a", from = "a2" }))
    same({ "a1" }, keys_of(map, { prefix = "a", to = "a2", to_open = true }))
    same({ "a3", "a2", "a1" }, keys_of(map, { prefix = "a", from = "A", to = "z", reverse = true }))
    same({}, keys_of(map, { prefix = "a", from = "b" }))
  end)

  it("refuses what is no range, and names it", function()
    for _, method in ipairs { "range", "delete_range" } do
      local function refused(text, range) raises("INVALID", text, map[method], map, range) end
      refused('did you mean "from"', { form = 1 })
      refused("option from", { from = 1.5 })
      refused("option to[2]", { to = { 1, true } })
      refused("option prefix", { prefix = {} })
      refused("option prefix", { prefix = false })
      refused("option from_open", { from_open = 1 })
      refused("table", 7)
    end
    raises("INVALID", "option limit", map.range, map, { limit = -1 })
    raises("INVALID", "option limit", map.range, map, { limit = 1.5 })
    raises("INVALID", "option reverse", map.range, map, { reverse = 1 })
    raises("INVALID", "limit", map.delete_range, map, { limit = 1 })
    raises("INVALID", "{}", map.delete_range, map)
    raises("TOOBIG", "option from", map.range, map, { from = ("x"):rep(1024) })
  end)

  it("deletes what it would give, and says how many", function()
    fill(map, { 1, 2, 3, "a", "ab", "b", { "b", 1 } })
    local other = given.store:map "mm"
    other:set(2, 2)
    assert.are.equal(2, map:delete_range { from = 2, to = 3 })
    assert.are.equal(2, map:delete_range { prefix = "a" })
    assert.are.equal(0, map:delete_range { from = 3, to = 2 })
    assert.are.equal(3, map:count())
    same({ 1, "b", { "b", 1 } }, keys_of(map))
    assert.are.equal(3, map:delete_range {})
    assert.are.equal(0, map:count())
    assert.are.equal(1, other:count())
  end)
end)
