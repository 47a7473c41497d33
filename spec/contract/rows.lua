local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

local KEY_MAX = 511

--- Every byte, from 0 to 255.
local function all_bytes()
  local bytes = {}
  for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
  return table.concat(bytes)
end

--- Bytes that differ from place to place, so that a shifted copy shows.
local function pattern(size, seed)
  local line = {}
  for i = 1, 251 do line[i] = string.char((i * 7 + seed) % 256) end
  return table.concat(line):rep(size // 251 + 1):sub(1, size)
end

local function values()
  it("returns what was put, in the transaction and after the commit", function()
    local txn = given.write { "key", "value" }
    assert.are.equal("value", (txn:get "key"))
    given.ok(txn:commit())
    assert.are.equal("value", (given.read():get "key"))
  end)

  it("answers NOTFOUND, without a text, for a key it does not have", function()
    given.rows { "b", "1" }
    local txn = given.read()
    for _, key in ipairs { "a", "bb", "c", "\0" } do given.fails("NOTFOUND", txn:get(key)) end
  end)

  it("replaces a value by a longer, a shorter, an equal and an empty one", function()
    local txn = given.write()
    for _, value in ipairs { "one", ("x"):rep(3000), "y", ("z"):rep(100000), "y", "y", "" } do
      given.ok(txn:put("key", value))
      assert.are.equal(value, (txn:get "key"))
    end
    given.ok(txn:commit())
    assert.are.equal("key=", given.committed())
  end)

  it("keeps an empty value apart from no value", function()
    given.rows { "key", "" }
    local txn = given.read()
    assert.are.equal("", (txn:get "key"))
    given.fails("NOTFOUND", txn:get "kez")
  end)

  it("keeps values of every size around its pages", function()
    local txn = given.write()
    for size = 0, 9000, 13 do given.ok(txn:put(("%05d"):format(size), pattern(size, size))) end
    given.ok(txn:commit())
    local read = given.read()
    for size = 0, 9000, 13 do
      assert.is_true(pattern(size, size) == read:get(("%05d"):format(size)), "the value of size " .. size .. " differs")
    end
  end)

  it("keeps a value of 5 MB", function()
    local large = pattern(5000000, 1)
    given.rows { "a", "1", "large", large, "z", "2" }
    assert.is_true(large == given.read():get "large")
    given.rows { "large", "small" }
    assert.are.equal("a=1 large=small z=2", given.committed())
  end)

  it("takes a value borrowed from the same transaction", function()
    local large = pattern(20000, 2)
    local txn = given.write { "a", "small", "b", large }
    given.ok(txn:copy("a", "c"))
    given.ok(txn:copy("a", "a"))
    given.ok(txn:copy("b", "d"))
    given.ok(txn:copy("b", "a"))
    given.ok(txn:copy("c", "b"))
    given.ok(txn:commit())
    local read = given.read()
    assert.is_true(large == read:get "a" and large == read:get "d")
    assert.are.equal("small", (read:get "b"))
    assert.are.equal("small", (read:get "c"))
  end)

  it("takes borrowed values although each put moves what lies beside them", function()
    local txn, expected = given.write(), {}
    local function key(n) return ("%02d"):format(n % 40) end
    for n = 0, 39 do
      expected[key(n)] = pattern(n * 9, n)
      given.ok(txn:put(key(n), expected[key(n)]))
    end
    for step = 1, 600 do
      local from, to = key(step * 17 + step // 7), key(step * 29 + step // 11)
      given.ok(txn:copy(from, to))
      expected[to] = expected[from]
      if step % 5 == 0 then
        expected[from] = pattern(step % 400, step)
        given.ok(txn:put(from, expected[from]))
      end
      for n = 0, 39 do assert.is_true(expected[key(n)] == txn:get(key(n)), "step " .. step) end
    end
  end)

  it("takes a committed value borrowed from its pages, however often", function()
    given.rows { "a", pattern(1500, 3), "b", "2" }
    local txn = given.write()
    for i = 1, 300 do given.ok(txn:copy("a", ("n%03d"):format(i))) end
    given.ok(txn:commit())
    local read = given.read()
    for i = 1, 300 do assert.is_true(pattern(1500, 3) == read:get(("n%03d"):format(i))) end
  end)
end

local function keys()
  it("keeps keys and values of any bytes", function()
    local bytes = all_bytes()
    given.rows { bytes, bytes, "\0", "a\0b", "\0\0", "", "a\0b", "\0" }
    local txn = given.read()
    assert.are.equal(bytes, (txn:get(bytes)))
    assert.are.equal("a\0b", (txn:get "\0"))
    assert.are.equal("", (txn:get "\0\0"))
    assert.are.equal("\0", (txn:get "a\0b"))
    given.fails("NOTFOUND", txn:get "a")
  end)

  it("keeps keys of every size from 1 to 511", function()
    local txn = given.write()
    for size = 1, KEY_MAX do given.ok(txn:put(pattern(size, 0), tostring(size))) end
    for size = 1, KEY_MAX, 2 do given.ok(txn:del(pattern(size, 0))) end
    given.ok(txn:commit())
    local read = given.read()
    for size = 1, KEY_MAX do
      local value = read:get(pattern(size, 0))
      assert.are.equal(size % 2 == 0 and tostring(size) or nil, value)
    end
  end)

  it("refuses a key of 512 bytes as TOOBIG and names the limit", function()
    local long = ("k"):rep(KEY_MAX + 1)
    local txn = given.write()
    for _, text in ipairs {
      given.fails("TOOBIG", txn:put(long, "v")), given.fails("TOOBIG", txn:get(long)), given.fails("TOOBIG", txn:del(long)),
      given.fails("TOOBIG", txn:cursor():seek(long)),
    } do assert.is_truthy(text:find(tostring(KEY_MAX), 1, true), text) end
  end)

  it("refuses an empty key as INVALID", function()
    local txn = given.write()
    given.fails("INVALID", txn:put("", "v"))
    given.fails("INVALID", txn:get "")
    given.fails("INVALID", txn:del "")
  end)

  it("goes on after a refused key", function()
    local txn = given.write "a"
    given.fails("TOOBIG", txn:put(("k"):rep(KEY_MAX + 1), "v"))
    given.fails("INVALID", txn:put("", "v"))
    given.put(txn, "b")
    given.ok(txn:commit())
    assert.are.equal("a b", given.committed())
  end)

  it("orders keys by their bytes, unsigned, the shorter first", function()
    local sorted = {
      "\0", "\0\0", "\0\1", "\1", "A", "a", "a\0", "aa", "ab", "b", "\x7f", "\x80", "\xc3\xa9", "\xff", "\xff\0", "\xff\xff",
    }
    local txn = given.write()
    for i = #sorted, 1, -2 do given.put(txn, { sorted[i], "" }) end
    for i = 1, #sorted, 2 do given.put(txn, { sorted[i], "" }) end
    local cursor = txn:cursor()
    for _, key in ipairs(sorted) do
      given.ok(cursor:next())
      assert.are.equal(key, given.at(cursor))
    end
    given.fails("NOTFOUND", cursor:next())
  end)
end

local function deleting()
  it("deletes a row, and answers NOTFOUND for one it does not have", function()
    local txn = given.write "a b c"
    given.ok(txn:del "b")
    given.fails("NOTFOUND", txn:get "b")
    given.fails("NOTFOUND", txn:del "b")
    given.fails("NOTFOUND", txn:del "x")
    given.ok(txn:commit())
    assert.are.equal("a c", given.committed())
  end)

  it("takes a row again after it was deleted", function()
    given.rows "a b"
    local txn = given.write()
    given.ok(txn:del "a")
    given.put(txn, { "a", "again" })
    given.ok(txn:commit())
    assert.are.equal("a=again b", given.committed())
  end)

  it("is empty when all of many rows were deleted, and can be filled again", function()
    for _ = 1, 2 do
      local txn = given.write()
      for i = 1, 2000 do given.ok(txn:put(("key %d"):format(i * 7919 % 2000), pattern(i % 90, i))) end
      given.ok(txn:commit())
      txn = given.write()
      for i = 1, 2000 do given.ok(txn:del(("key %d"):format(i * 31 % 2000))) end
      assert.are.equal("", given.all(txn))
      given.ok(txn:commit())
      assert.are.equal("", given.committed())
    end
  end)
end

return function()
  describe("values", values)
  describe("keys", keys)
  describe("del", deleting)
end
