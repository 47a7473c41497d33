local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

--- The same in a write transaction that made the rows, and in a read transaction later.
local function in_both(does, rows, f)
  it(does .. ", in the transaction that wrote", function() f(given.write(rows)) end)
  it(does .. ", in a read transaction", function()
    given.rows(rows)
    f(given.read())
  end)
end

local function seeks(cursor, key, expected)
  if expected then
    given.ok(cursor:seek(key))
    assert.are.equal(expected, given.at(cursor))
  else
    given.fails("NOTFOUND", cursor:seek(key))
    given.fails("NOTFOUND", cursor:current())
  end
end

local function walking()
  in_both("walks all rows both ways", "c a e b d", function(txn)
    assert.are.equal("a b c d e", given.all(txn))
    assert.are.equal("e d c b a", given.all_backwards(txn))
  end)

  in_both("turns around at any row", "a b c", function(txn)
    local cursor = txn:cursor()
    local seen = {}
    for _, step in ipairs { "next", "next", "prev", "next", "next", "prev", "prev" } do
      given.ok(cursor[step](cursor))
      seen[#seen + 1] = given.at(cursor)
    end
    assert.are.same({ "a", "b", "a", "b", "c", "b", "a" }, seen)
  end)

  in_both("steps over the edges and back", "a b", function(txn)
    local cursor = txn:cursor()
    given.fails("NOTFOUND", cursor:current())
    given.fails("NOTFOUND", cursor:prev())
    for _ = 1, 2 do
      given.ok(cursor:next())
      assert.are.equal("a", given.at(cursor))
      given.ok(cursor:next())
      given.fails("NOTFOUND", cursor:next())
      given.fails("NOTFOUND", cursor:next())
      given.fails("NOTFOUND", cursor:current())
      given.ok(cursor:prev())
      assert.are.equal("b", given.at(cursor))
      given.ok(cursor:prev())
      given.fails("NOTFOUND", cursor:prev())
      given.fails("NOTFOUND", cursor:prev())
      given.fails("NOTFOUND", cursor:current())
    end
  end)

  in_both("finds nothing where there is nothing", "", function(txn)
    local cursor = txn:cursor()
    given.fails("NOTFOUND", cursor:next())
    given.fails("NOTFOUND", cursor:prev())
    cursor:to_end()
    given.fails("NOTFOUND", cursor:prev())
    given.fails("NOTFOUND", cursor:seek "a")
    given.fails("NOTFOUND", cursor:seek "")
    given.fails("NOTFOUND", cursor:current())
  end)

  in_both("goes behind the last row, from where prev leads to it", "a b", function(txn)
    local cursor = txn:cursor()
    cursor:to_end()
    given.fails("NOTFOUND", cursor:current())
    given.fails("NOTFOUND", cursor:next())
    given.ok(cursor:prev())
    assert.are.equal("b", given.at(cursor))
  end)

  it("walks many rows both ways", function()
    local txn = given.write()
    for i = 1, 5000 do given.ok(txn:put(("%05d"):format(i * 7 % 5000), ("v"):rep(i % 50))) end
    given.ok(txn:commit())
    local cursor = given.read():cursor()
    for i = 0, 4999 do
      given.ok(cursor:next())
      assert.are.equal(("%05d"):format(i), given.at(cursor))
    end
    given.fails("NOTFOUND", cursor:next())
    for i = 4999, 0, -1 do
      given.ok(cursor:prev())
      assert.are.equal(("%05d"):format(i), given.at(cursor))
    end
    given.fails("NOTFOUND", cursor:prev())
  end)
end

local function seeking()
  in_both("seeks the first key at or past the one asked for", "b d f", function(txn)
    local cursor = txn:cursor()
    seeks(cursor, "a", "b")
    seeks(cursor, "b", "b")
    seeks(cursor, "b\0", "d")
    seeks(cursor, "c", "d")
    seeks(cursor, "f", "f")
    seeks(cursor, "f\0", nil)
    seeks(cursor, "\xff", nil)
    seeks(cursor, "", "b")
    seeks(cursor, ("a"):rep(511), "b")
  end)

  in_both("goes on both ways from where it sought", "b d f", function(txn)
    local cursor = txn:cursor()
    seeks(cursor, "c", "d")
    given.ok(cursor:prev())
    assert.are.equal("b", given.at(cursor))
    seeks(cursor, "c", "d")
    given.ok(cursor:next())
    assert.are.equal("f", given.at(cursor))
    seeks(cursor, "a", "b")
    given.fails("NOTFOUND", cursor:prev())
    seeks(cursor, "g", nil)
    given.fails("NOTFOUND", cursor:next())
    given.ok(cursor:prev())
    assert.are.equal("f", given.at(cursor))
  end)

  it("seeks right among many rows", function()
    local txn = given.write()
    for i = 0, 3000, 3 do given.ok(txn:put(("%05d"):format(i), "")) end
    given.ok(txn:commit())
    local cursor = given.read():cursor()
    for i = 0, 3000 do seeks(cursor, ("%05d"):format(i), ("%05d"):format((i + 2) // 3 * 3)) end
    seeks(cursor, "03001", nil)
  end)

  it("keeps its place when a key is refused", function()
    local cursor = given.write("a b"):cursor()
    given.ok(cursor:seek "b")
    given.fails("TOOBIG", cursor:seek(("k"):rep(512)))
    assert.are.equal("b", given.at(cursor))
  end)
end

local function together()
  in_both("has several cursors that know nothing of each other", "a b c", function(txn)
    local first, second = txn:cursor(), txn:cursor()
    given.ok(first:next())
    second:to_end()
    given.ok(second:prev())
    given.ok(first:next())
    assert.are.equal("b", given.at(first))
    assert.are.equal("c", given.at(second))
    first:close()
    given.ok(second:prev())
    assert.are.equal("b", given.at(second))
  end)

  it("opens and closes cursors in any order", function()
    local txn = given.write "a b c"
    local cursors = {}
    for i = 1, 20 do
      cursors[i] = txn:cursor()
      given.ok(cursors[i]:next())
    end
    for i = 1, 20 do cursors[i * 7 % 20 + 1]:close() end
    assert.are.equal("a b c", given.all(txn))
  end)
end

return function()
  describe("cursors", function()
    walking()
    seeking()
    together()
  end)
end
