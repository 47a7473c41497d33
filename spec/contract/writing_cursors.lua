local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

--- A cursor on `key`, in a write transaction with `rows`; committed before or written by it.
local function both_ways(does, rows, key, f)
  it(does .. ", on rows of the same transaction", function()
    local txn = given.write(rows)
    local cursor = txn:cursor()
    given.ok(cursor:seek(key))
    f(txn, cursor)
  end)
  it(does .. ", on committed rows", function()
    given.rows(rows)
    local txn = given.write()
    local cursor = txn:cursor()
    given.ok(cursor:seek(key))
    f(txn, cursor)
  end)
end

local function steps(cursor, step, expected)
  if not expected then return given.fails("NOTFOUND", cursor[step](cursor)) end
  given.ok(cursor[step](cursor))
  assert.are.equal(expected, given.at(cursor))
end

local function deleting()
  for step, expected in pairs { next = "d", prev = "b" } do
    both_ways("goes to the neighbour of a deleted row by " .. step, "a b c d e", "c", function(txn, cursor)
      given.ok(txn:del "c")
      given.fails("NOTFOUND", cursor:current())
      given.fails("NOTFOUND", cursor:current())
      steps(cursor, step, expected)
    end)
  end

  both_ways("is over the edge past the last row, deleted", "a b", "b", function(txn, cursor)
    given.ok(txn:del "b")
    steps(cursor, "next", nil)
    given.fails("NOTFOUND", cursor:current())
    steps(cursor, "prev", "a")
  end)

  both_ways("is over the edge before the first row, deleted", "a b", "a", function(txn, cursor)
    given.ok(txn:del "a")
    steps(cursor, "prev", nil)
    steps(cursor, "next", "b")
  end)

  for step, expected in pairs { next = "e", prev = "a" } do
    both_ways("goes by " .. step .. " over deleted neighbours", "a b c d e", "c", function(txn, cursor)
      given.ok(txn:del "b")
      given.ok(txn:del "d")
      assert.are.equal("c", given.at(cursor))
      steps(cursor, step, expected)
    end)
  end

  both_ways("finds nothing, both ways, when all is deleted", "a b c", "b", function(txn, cursor)
    given.ok(txn:del_range("", ""))
    given.fails("NOTFOUND", cursor:current())
    steps(cursor, "next", nil)
    steps(cursor, "prev", nil)
    given.put(txn, "x")
    steps(cursor, "next", "x")
  end)

  both_ways("finds its row again that was deleted and put again", "a b c", "b", function(txn, cursor)
    given.ok(txn:del "b")
    given.put(txn, { "b", "new" })
    assert.are.same({ "b", "new" }, { cursor:current() })
    steps(cursor, "next", "c")
  end)

  for start, step in pairs { seek = "next", to_end = "prev" } do
    it("deletes every row on its way by " .. step, function()
      local txn = given.write()
      for i = 1, 1500 do given.ok(txn:put(("%04d"):format(i), ("v"):rep(i % 70))) end
      given.ok(txn:commit())
      txn = given.write()
      local cursor, deleted = txn:cursor(), 0
      if start == "to_end" then cursor:to_end() end
      while cursor[step](cursor) do
        given.ok(cursor:del())
        deleted = deleted + 1
      end
      assert.are.equal(1500, deleted)
      assert.are.equal("", given.all(txn))
    end)
  end
end

local function inserting()
  both_ways("sees a row inserted behind it", "a c", "a", function(txn, cursor)
    given.put(txn, "b")
    assert.are.equal("a", given.at(cursor))
    steps(cursor, "next", "b")
    steps(cursor, "next", "c")
  end)

  both_ways("sees a row inserted before it", "a c", "c", function(txn, cursor)
    given.put(txn, "b")
    assert.are.equal("c", given.at(cursor))
    steps(cursor, "prev", "b")
    steps(cursor, "prev", "a")
  end)

  both_ways("sees neighbours that were inserted after its row was deleted", "a e", "e", function(txn, cursor)
    given.ok(txn:del "e")
    given.put(txn, "d f")
    given.fails("NOTFOUND", cursor:current())
    steps(cursor, "next", "f")
    steps(cursor, "prev", "d")
  end)

  both_ways("has the new value of a row replaced under it", "a b c", "b", function(txn, cursor)
    local large = ("new"):rep(2000)
    given.put(txn, { "b", large })
    local key, value = given.ok(cursor:current())
    assert.are.equal("b", key)
    assert.is_true(value == large)
    steps(cursor, "next", "c")
  end)

  both_ways("keeps its place while hundreds of rows come and go around it", "m", "m", function(txn, cursor)
    for i = 1, 500 do given.put(txn, { ("k%03d"):format(i), ("v"):rep(60), ("o%03d"):format(i), ("v"):rep(60) }) end
    assert.are.equal("m", given.at(cursor))
    steps(cursor, "next", "o001")
    steps(cursor, "prev", "m")
    steps(cursor, "prev", "k500")
    for i = 1, 500 do given.ok(txn:del(("k%03d"):format(i))) end
    steps(cursor, "next", "m")
    steps(cursor, "prev", nil)
  end)

  it("finds rows inserted at the edges where it stands", function()
    local txn = given.write()
    local before, behind = txn:cursor(), txn:cursor()
    behind:to_end()
    given.put(txn, "a b")
    steps(before, "next", "a")
    steps(behind, "prev", "b")
    given.fails("NOTFOUND", behind:next())
    given.put(txn, "c")
    given.fails("NOTFOUND", behind:next())
    steps(behind, "prev", "c")
  end)

  it("is over the edge that it stepped to, when there was no row", function()
    local txn = given.write()
    local forward, backward = txn:cursor(), txn:cursor()
    backward:to_end()
    steps(forward, "next", nil)
    steps(backward, "prev", nil)
    given.put(txn, "a")
    given.fails("NOTFOUND", forward:current())
    given.fails("NOTFOUND", backward:current())
    steps(forward, "next", nil)
    steps(backward, "prev", nil)
    steps(forward, "prev", "a")
    steps(backward, "next", "a")
  end)

  it("puts the row it stands on again from borrowed bytes, all along the way", function()
    local txn = given.write()
    for i = 1, 400 do given.ok(txn:put(("%04d"):format(i), ("v"):rep(i % 90))) end
    local before = given.all(txn)
    given.ok(txn:commit())
    txn = given.write()
    local cursor = txn:cursor()
    while cursor:next() do given.ok(cursor:put()) end
    assert.are.equal(before, given.all(txn))
  end)
end

local function with_children()
  both_ways("keeps its place while a nested transaction writes and commits", "a b c", "b", function(txn, cursor)
    local nested = given.ok(txn:begin())
    given.ok(nested:del "b")
    given.put(nested, "bb")
    given.fails("MISUSE", cursor:current())
    given.fails("MISUSE", cursor:next())
    given.fails("MISUSE", cursor:seek "a")
    given.ok(nested:commit())
    given.fails("NOTFOUND", cursor:current())
    steps(cursor, "next", "bb")
  end)

  both_ways("keeps its place while a nested transaction writes and rolls back", "a b c", "b", function(txn, cursor)
    local nested = given.ok(txn:begin())
    given.ok(nested:del_range("", ""))
    nested:rollback()
    assert.are.equal("b", given.at(cursor))
    steps(cursor, "prev", "a")
  end)
end

return function()
  describe("a cursor whose transaction writes", function()
    deleting()
    inserting()
    with_children()
  end)
end
