local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

local function deletes(from, to, count, left)
  it(("deletes from %q to %q: %d rows"):format(from, to, count), function()
    local txn = given.write "b d f h"
    assert.are.equal(count, given.ok(txn:del_range(from, to)))
    assert.are.equal(left, given.all(txn))
    given.ok(txn:commit())
    assert.are.equal(left, given.committed())
  end)
end

local function borders()
  deletes("b", "f", 2, "f h")
  deletes("d", "h", 2, "b h")
  deletes("a", "i", 4, "")
  deletes("c", "g", 2, "b h")
  deletes("c", "d", 0, "b d f h")
  deletes("d", "d\0", 1, "b f h")
  deletes("d\0", "f", 0, "b d f h")
  deletes("", "d", 1, "d f h")
  deletes("f", "", 2, "b d")
  deletes("i", "", 0, "b d f h")
  deletes("", "a", 0, "b d f h")
  deletes("", "", 4, "")
  deletes("d", "d", 0, "b d f h")
  deletes("f", "b", 0, "b d f h")
end

local function many()
  it("deletes a stretch of many rows and counts them", function()
    local txn = given.write()
    for i = 1, 3000 do given.ok(txn:put(("%04d"):format(i), ("v"):rep(i % 100))) end
    given.ok(txn:commit())
    txn = given.write()
    assert.are.equal(2400, given.ok(txn:del_range("0300", "2700")))
    given.fails("NOTFOUND", txn:get "0300")
    given.fails("NOTFOUND", txn:get "2699")
    given.ok(txn:commit())
    local _, rows = given.committed():gsub("=", "")
    assert.are.equal(600, rows)
  end)

  it("answers 0 where there are no rows", function()
    assert.are.equal(0, given.ok(given.write():del_range("", "")))
  end)

  it("sees what was written before in the transaction, and can be written into after", function()
    given.rows "a c e"
    local txn = given.write "b d"
    given.ok(txn:del "c")
    assert.are.equal(2, given.ok(txn:del_range("b", "e")))
    given.put(txn, "c")
    given.ok(txn:commit())
    assert.are.equal("a c e", given.committed())
  end)

  it("is undone by a rollback", function()
    given.rows "a b c"
    local txn = given.write()
    given.ok(txn:del_range("", ""))
    txn:rollback()
    assert.are.equal("a b c", given.committed())
  end)

  it("is MISUSE in a read transaction", function()
    given.rows "a"
    given.fails("MISUSE", given.read():del_range("", ""))
    assert.are.equal("a", given.committed())
  end)

  it("takes ends of 511 bytes, and refuses longer ones as TOOBIG", function()
    local txn = given.write { ("k"):rep(511), "", "l", "" }
    assert.are.equal(0, given.ok(txn:del_range("a", ("k"):rep(511))))
    given.fails("TOOBIG", txn:del_range(("k"):rep(512), ""))
    given.fails("TOOBIG", txn:del_range("a", ("k"):rep(512)))
    assert.are.equal(1, given.ok(txn:del_range(("k"):rep(511), "l")))
    assert.are.equal("l=", given.all(txn))
  end)

  it("leaves a cursor on the rows that stay", function()
    local txn = given.write "a b c d e f"
    local inside, before, behind = txn:cursor(), txn:cursor(), txn:cursor()
    given.ok(inside:seek "c")
    given.ok(before:seek "a")
    given.ok(behind:seek "f")
    assert.are.equal(4, given.ok(txn:del_range("b", "f")))
    given.fails("NOTFOUND", inside:current())
    assert.are.equal("a", given.at(before))
    assert.are.equal("f", given.at(behind))
    given.ok(inside:next())
    assert.are.equal("f", given.at(inside))
    given.ok(before:next())
    assert.are.equal("f", given.at(before))
    given.ok(behind:prev())
    assert.are.equal("a", given.at(behind))
  end)
end

return function()
  describe("del_range", function()
    borders()
    many()
  end)
end
