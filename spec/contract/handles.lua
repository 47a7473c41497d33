local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

--- Everything that can be done with what has ended.
local function all_closed(txn, cursor)
  given.fails("CLOSED", txn:get "a")
  given.fails("CLOSED", txn:put("a", "a"))
  given.fails("CLOSED", txn:del "a")
  given.fails("CLOSED", txn:del_range("", ""))
  given.fails("CLOSED", txn:begin())
  given.fails("CLOSED", txn:cursor())
  given.fails("CLOSED", txn:commit())
  given.fails("CLOSED", txn:rollback())
  given.fails("CLOSED", cursor:seek "a")
  given.fails("CLOSED", cursor:next())
  given.fails("CLOSED", cursor:prev())
  given.fails("CLOSED", cursor:current())
  cursor:close()
end

local function ends()
  for _, how in ipairs { "commit", "rollback" } do
    for _, writable in ipairs { true, false } do
      it(("are CLOSED after the %s of a %s transaction"):format(how, writable and "write" or "read"), function()
        given.rows "a"
        local txn = given.ok(given.engine:begin(writable))
        local cursor = given.ok(txn:cursor())
        given.ok(cursor:next())
        given.ok(txn[how](txn))
        all_closed(txn, cursor)
        assert.are.equal("a", given.committed())
      end)
    end
  end

  it("are CLOSED after the close of the engine, whatever was open", function()
    given.rows "a"
    local reader, writer = given.read(), given.write "b"
    local nested = given.ok(writer:begin())
    given.put(nested, "c")
    local cursors = { given.ok(reader:cursor()), given.ok(nested:cursor()), given.ok(nested:cursor()) }
    for _, cursor in ipairs(cursors) do given.ok(cursor:next()) end
    given.engine:close()
    for _, txn in ipairs { reader, writer, nested } do all_closed(txn, cursors[1]) end
    given.fails("CLOSED", cursors[2]:next())
    given.fails("CLOSED", given.engine:begin(false))
    given.fails("CLOSED", given.engine:stats())
    given.fails("CLOSED", given.engine:sync())
    given.fails("CLOSED", given.engine:check())
    given.engine:close()
  end)

  it("are let go by the collector, in whatever order it finds them", function()
    given.rows "a b"
    for _ = 1, 20 do
      local engine <const> = given.promises.durable and given.open() or given.engine
      local txn = given.ok(engine:begin(true))
      local nested = given.ok(txn:begin())
      given.put(nested, "lost")
      for _ = 1, 5 do given.ok(given.ok(nested:cursor()):next()) end
      given.ok(given.ok(given.ok(engine:begin(false)):cursor()):next())
      txn, nested = nil, nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.are.equal("a b", given.committed())
    end
    given.rows "c"
    assert.are.equal("a b c", given.committed())
  end)

  it("may be many at a time", function()
    given.rows "a"
    local txns = {}
    for i = 1, 100 do
      txns[i] = given.read()
      given.ok(given.ok(txns[i]:cursor()):next())
    end
    for i = 1, 100 do
      local txn = txns[i * 37 % 100 + 1]
      assert.are.equal("a", given.all(txn))
      txn:rollback()
    end
    assert.are.equal(0, given.ok(given.engine:stats()).readers)
  end)
end

return function()
  describe("handles", ends)
end
