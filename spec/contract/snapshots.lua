local busted = require "busted"
local assert = require "luassert"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

local function snapshots()
  it("shows a reader what was committed when it began, whatever is committed later", function()
    given.rows "a b c"
    local reader = given.read()
    local txn = given.write { "a", "changed", "d", "" }
    given.ok(txn:del "b")
    assert.are.equal("a b c", given.all(reader))
    given.ok(txn:commit())
    assert.are.equal("a b c", given.all(reader))
    assert.are.equal("b", (reader:get "b"))
    given.fails("NOTFOUND", reader:get "d")
    assert.are.equal("a=changed c d=", given.committed())
  end)

  it("shows it although it had read nothing before the commit", function()
    given.rows "a"
    local reader = given.read()
    given.rows "b"
    assert.are.equal("a", given.all(reader))
  end)

  it("keeps a cursor of a reader walking through its own state", function()
    local rows = {}
    for i = 1, 800 do
      rows[#rows + 1] = ("%04d"):format(i)
      rows[#rows + 1] = ("v"):rep(i % 60)
    end
    given.rows(rows)
    local cursor, count = given.read():cursor(), 0
    while cursor:next() do
      count = count + 1
      local key, value = given.ok(cursor:current())
      assert.are.equal(rows[2 * count - 1] .. rows[2 * count], key .. value)
      if count % 40 == 0 then
        local txn = given.write()
        given.ok(txn:del_range(("%04d"):format(count - 20), ("%04d"):format(count + 20)))
        given.put(txn, { ("%04d+"):format(count), "new" })
        given.ok(txn:commit())
      end
    end
    assert.are.equal(800, count)
  end)

  it("keeps several snapshots, each its own, until they end in any order", function()
    local readers, expected = {}, {}
    for i = 1, 12 do
      given.rows { ("%02d"):format(i), tostring(i), "last", tostring(i) }
      readers[i], expected[i] = given.read(), given.committed()
    end
    local txn = given.write()
    given.ok(txn:del_range("", ""))
    given.ok(txn:commit())
    for i = 1, 12 do
      local at = i * 5 % 12 + 1
      assert.are.equal(expected[at], given.all(readers[at]))
      readers[at]:rollback()
      given.rows { "between", tostring(i) }
    end
    assert.are.equal("between=12", given.committed())
  end)

  it("keeps a large value of a snapshot while it is replaced", function()
    local old, new = ("old"):rep(400000), ("new"):rep(400000)
    given.rows { "key", old }
    local reader = given.read()
    for _ = 1, 5 do given.rows { "key", new } end
    assert.is_true(old == reader:get "key")
    assert.is_true(new == given.read():get "key")
  end)

  if given.promises.shared then it("shows the same to two handles' readers", function()
    given.rows "a"
    local other = given.open()
    local reader = given.ok(other:begin(false))
    given.rows "b"
    assert.are.equal("a", given.all(reader))
    reader:rollback()
    assert.are.equal("a b", given.all(given.ok(other:begin(false))))
  end) end
end

return function()
  describe("snapshots", snapshots)
end
