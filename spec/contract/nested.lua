local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

local function nest(txn, rows)
  local nested = given.ok(txn:begin())
  given.put(nested, rows)
  return nested
end

local function ends()
  it("sees the writes around it, and gives its own at commit", function()
    given.rows "a"
    local txn = given.write "b"
    local nested = nest(txn, "c")
    assert.are.equal("a b c", given.all(nested))
    given.ok(nested:del "a")
    given.ok(nested:commit())
    assert.are.equal("b c", given.all(txn))
    given.put(txn, "d")
    given.ok(txn:commit())
    assert.are.equal("b c d", given.committed())
  end)

  it("leaves nothing after its rollback", function()
    given.rows "a"
    local txn = given.write "b"
    local nested = nest(txn, { "a", "changed", "c", ("x"):rep(30000) })
    given.ok(nested:del "b")
    nested:rollback()
    assert.are.equal("a b", given.all(txn))
    given.put(txn, "d")
    given.ok(txn:commit())
    assert.are.equal("a b d", given.committed())
  end)

  it("is gone with a rollback around it, although it committed", function()
    given.rows "a"
    local txn = given.write()
    given.ok(nest(txn, "b"):commit())
    txn:rollback()
    assert.are.equal("a", given.committed())
  end)

  it("comes one after the other", function()
    local txn = given.write()
    for i = 1, 60 do
      local nested = nest(txn, { ("%02d"):format(i), ("v"):rep(i * 40) })
      if i % 3 == 0 then nested:rollback() else given.ok(nested:commit()) end
    end
    given.ok(txn:commit())
    local read = given.read()
    for i = 1, 60 do
      assert.are.equal(i % 3 ~= 0 and ("v"):rep(i * 40) or nil, (read:get(("%02d"):format(i))))
    end
  end)

  for _, how in ipairs { { true, true }, { true, false }, { false, true }, { false, false } } do
    local inner, outer = how[1], how[2]
    it(("goes three levels deep: %s in %s"):format(inner and "commit" or "rollback", outer and "commit" or "rollback"), function()
      given.rows "a"
      local txn = given.write "b"
      local second = nest(txn, "c")
      local third = nest(second, "d")
      given.ok(third:del "a")
      assert.are.equal("b c d", given.all(third))
      if inner then given.ok(third:commit()) else third:rollback() end
      assert.are.equal(inner and "b c d" or "a b c", given.all(second))
      if outer then given.ok(second:commit()) else second:rollback() end
      local expected = not outer and "a b" or inner and "b c d" or "a b c"
      assert.are.equal(expected, given.all(txn))
      given.ok(txn:commit())
      assert.are.equal(expected, given.committed())
    end)
  end

  it("is not seen by readers before the outermost commit", function()
    given.rows "a"
    local txn = given.write "b"
    given.ok(nest(txn, "c"):commit())
    assert.are.equal("a", given.committed())
    given.ok(txn:commit())
    assert.are.equal("a b c", given.committed())
  end)

  it("takes a value borrowed from the transaction around it", function()
    given.rows { "a", ("v"):rep(2500) }
    local txn = given.write { "b", ("w"):rep(2500) }
    local nested = given.ok(txn:begin())
    given.ok(nested:copy("a", "c"))
    given.ok(nested:copy("b", "d"))
    given.ok(nested:commit())
    assert.is_true(txn:get "c" == ("v"):rep(2500) and txn:get "d" == ("w"):rep(2500))
  end)
end

local function around()
  it("is MISUSE to use a transaction while a nested one is open", function()
    given.rows "a"
    local txn = given.write()
    local cursor = txn:cursor()
    given.ok(cursor:next())
    local nested = nest(txn, "b")
    given.fails("MISUSE", txn:get "a")
    given.fails("MISUSE", txn:put("c", "c"))
    given.fails("MISUSE", txn:del "a")
    given.fails("MISUSE", txn:del_range("", ""))
    given.fails("MISUSE", txn:cursor())
    given.fails("MISUSE", txn:begin())
    given.fails("MISUSE", cursor:next())
    given.fails("MISUSE", cursor:prev())
    given.fails("MISUSE", cursor:current())
    given.ok(nested:commit())
    assert.are.equal("a", given.at(cursor))
    given.ok(txn:commit())
    assert.are.equal("a b", given.committed())
  end)

  it("ends with the rollback of the transaction around it", function()
    given.rows "a"
    local txn = given.write "b"
    local nested = nest(txn, "c")
    local deepest = nest(nested, "d")
    local cursor = given.ok(deepest:cursor())
    txn:rollback()
    given.fails("CLOSED", nested:get "a")
    given.fails("CLOSED", deepest:commit())
    given.fails("CLOSED", cursor:next())
    assert.are.equal("a", given.committed())
    given.rows "e"
    assert.are.equal("a e", given.committed())
  end)

  it("ends with a commit of the transaction around it, which is MISUSE and keeps nothing", function()
    given.rows "a"
    local txn = given.write "b"
    local nested = nest(txn, "c")
    given.fails("MISUSE", txn:commit())
    given.fails("CLOSED", nested:commit())
    given.fails("CLOSED", txn:get "a")
    assert.are.equal("a", given.committed())
    given.rows "d"
    assert.are.equal("a d", given.committed())
  end)
end

local function with_cursors()
  it("has cursors of its own, which end with it", function()
    local txn = given.write "a c"
    local nested = nest(txn, "b")
    local cursor = nested:cursor()
    given.ok(cursor:seek "b")
    given.ok(nested:commit())
    given.fails("CLOSED", cursor:current())
    given.fails("CLOSED", cursor:next())
    assert.are.equal("a b c", given.all(txn))
  end)

  it("leaves the cursors around it on their rows, wherever they stand", function()
    local txn = given.write "a b c"
    local before, on, behind = txn:cursor(), txn:cursor(), txn:cursor()
    given.ok(on:seek "b")
    behind:to_end()
    given.ok(nest(txn, "0 d"):commit())
    assert.are.equal("b", given.at(on))
    given.ok(before:next())
    assert.are.equal("0", given.at(before))
    given.ok(behind:prev())
    assert.are.equal("d", given.at(behind))
  end)
end

return function()
  describe("nested transactions", function()
    ends()
    around()
    with_cursors()
  end)
end
