local busted = require "busted"
local assert = require "luassert"
local port = require "larder_port"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

local function ends()
  it("keeps what was committed", function()
    given.rows "a b"
    given.rows { "b", "2", "c", "3" }
    assert.are.equal("a b=2 c=3", given.committed())
  end)

  it("leaves nothing after a rollback", function()
    given.rows "a b"
    local txn = given.write { "a", "changed", "new", "", "large", ("x"):rep(50000) }
    given.ok(txn:del "b")
    txn:rollback()
    assert.are.equal("a b", given.committed())
    assert.are.equal(2, given.ok(given.engine:stats()).entries)
  end)

  it("commits a transaction that wrote nothing, and one that only read", function()
    given.rows "a"
    given.ok(given.write():commit())
    local read = given.read()
    given.ok(read:get "a")
    given.ok(read:commit())
    assert.are.equal("a", given.committed())
  end)

  it("goes through many small transactions, every other one rolled back", function()
    for i = 1, 200 do
      local txn = given.write { ("%03d"):format(i), tostring(i) }
      if i % 2 == 0 then given.ok(txn:commit()) else txn:rollback() end
    end
    local read = given.read()
    for i = 1, 200 do
      assert.are.equal(i % 2 == 0 and tostring(i) or nil, (read:get(("%03d"):format(i))))
    end
  end)
end

local function misuse()
  it("is MISUSE to write in a read transaction", function()
    given.rows "a"
    local txn = given.read()
    given.fails("MISUSE", txn:put("b", "b"))
    given.fails("MISUSE", txn:del "a")
    given.fails("MISUSE", txn:begin())
    assert.are.equal("a", given.all(txn))
    assert.are.equal("a", given.committed())
  end)

  if given.promises.one_writer then it("is MISUSE to begin a second write transaction, and the first goes on", function()
    local first = given.write "a"
    given.fails("MISUSE", given.engine:begin(true))
    given.put(first, "b")
    given.ok(first:commit())
    given.ok(given.write("c"):commit())
    assert.are.equal("a b c", given.committed())
  end) end

  it("may read beside an open write transaction", function()
    given.rows "a"
    local writer = given.write "b"
    assert.are.equal("a", given.committed())
    given.ok(writer:commit())
    assert.are.equal("a b", given.committed())
  end)
end

local function spoilt()
  it("can only be rolled back after a failure spoilt it", function()
    given.rows "a"
    local txn = given.write "b"
    local cursor = txn:cursor()
    given.fails("IO", txn:spoil "IO")
    for _, text in ipairs {
      given.fails("MISUSE", txn:get "a"), given.fails("MISUSE", txn:put("c", "c")), given.fails("MISUSE", txn:del "a"),
      given.fails("MISUSE", txn:del_range("", "")), given.fails("MISUSE", txn:begin()), given.fails("MISUSE", txn:cursor()),
      given.fails("MISUSE", cursor:next()), given.fails("MISUSE", cursor:current()), given.fails("MISUSE", cursor:seek "a"),
    } do assert.is_truthy(text:find("IO", 1, true), text) end
    txn:rollback()
    assert.are.equal("a", given.committed())
  end)

  it("gives the failure at commit, ends, and leaves nothing", function()
    given.rows "a"
    local txn = given.write "b"
    given.fails("FULL", txn:spoil "FULL")
    given.fails("FULL", txn:commit())
    given.fails("CLOSED", txn:get "a")
    assert.are.equal("a", given.committed())
    given.rows "c"
    assert.are.equal("a c", given.committed())
  end)

  it("keeps the first failure", function()
    local txn = given.write "b"
    txn:spoil "FULL"
    txn:spoil "IO"
    given.fails("FULL", txn:commit())
  end)

  it("does not spoil a read transaction", function()
    given.rows "a"
    local txn = given.read()
    txn:spoil "CORRUPT"
    assert.are.equal("a", given.all(txn))
    given.ok(txn:commit())
  end)

  it("leaves the transaction around a spoilt nested one as it was", function()
    local txn = given.write "a"
    local nested = given.ok(txn:begin())
    given.put(nested, "b")
    nested:spoil "IO"
    given.fails("IO", nested:commit())
    assert.are.equal("a", given.all(txn))
    given.ok(txn:commit())
    assert.are.equal("a", given.committed())
  end)
end

--- A call of the engine itself that fails, before or after it did its work.
local function faulty()
  for slot, write in pairs {
    put = function(txn) return txn:put("b", "new") end,
    del = function(txn) return txn:del "a" end,
    del_range = function(txn) return txn:del_range("", "") end,
  } do
    for _, late in ipairs { false, true } do
      it(("gives a failed %s, %s its work was done, again at commit"):format(slot, late and "after" or "before"), function()
        given.rows "a b c"
        given.engine:close()
        local before = given.promises.durable and "a b c" or ""
        given.engine = given.open({}, { fault = true })
        local txn = given.ok(given.engine:begin(true))
        port.fault(1, "IO", late)
        given.fails("IO", write(txn))
        given.fails("MISUSE", txn:get "c")
        given.fails("IO", txn:commit())
        assert.are.equal(before, given.committed())
        given.rows "d"
        assert.are.equal((before .. " d"):match "^ *(.*)", given.committed())
      end)
    end
  end

  it("keeps nothing of a commit that fails", function()
    given.engine:close()
    given.engine = given.open({}, { fault = true })
    given.rows "a"
    local txn = given.write "b"
    port.fault(1, "FULL")
    given.fails("FULL", txn:commit())
    given.fails("CLOSED", txn:rollback())
    assert.are.equal("a", given.committed())
    given.rows "c"
    assert.are.equal("a c", given.committed())
  end)
end

return function()
  describe("transactions", ends)
  describe("misuse of transactions", misuse)
  describe("a spoilt transaction", spoilt)
  describe("a failing engine", faulty)
end
