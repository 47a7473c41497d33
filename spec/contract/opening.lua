local busted = require "busted"
local assert = require "luassert"
local port = require "larder_port"
local given = require "contract.given"
local describe, it = busted.describe, busted.it

--- Another engine, made anew with `extra`, in place of the one that the test began with.
local function renew(extra)
  given.engine:close()
  port.remove_dir(given.folder)
  port.mkdir(given.folder)
  given.engine = given.open({}, extra)
end

local function opening()
  it("is empty at first", function()
    assert.are.equal("", given.committed())
  end)

  it("refuses an unknown option as INVALID and names it", function()
    local text = given.fails("INVALID", given.try_open { colour = "red" })
    assert.is_truthy(text:find('unknown option "colour"', 1, true), text)
  end)

  if given.promises.durable then it("names the nearest option it knows", function()
    local text = given.fails("INVALID", given.try_open { durabilty = "none" })
    assert.is_truthy(text:find('did you mean "durability"?', 1, true), text)
  end) end

  it("makes a new one with its first row", function()
    renew { first_key = "first\0", first_value = "row" }
    assert.are.equal("first\0=row", given.committed())
    given.rows { "first\0", "mine" }
    assert.are.equal("first\0=mine", given.committed())
  end)
end

local function reopening()
  local function reopen(extra)
    given.engine:close()
    given.engine = given.open({}, extra)
  end

  it("has every commit, and nothing else, when it is opened again", function()
    given.rows "a b"
    given.write("lost"):rollback()
    reopen()
    assert.are.equal("a b", given.committed())
    local txn = given.write "c"
    given.ok(txn:del "a")
    given.ok(txn:commit())
    given.write "open at the close"
    reopen()
    assert.are.equal("b c", given.committed())
    given.ok(given.engine:sync())
  end)

  it("has many commits when it is opened again after each", function()
    for i = 1, 20 do
      given.rows { ("%02d"):format(i), ("v"):rep(i * 300) }
      reopen()
    end
    local read = given.read()
    for i = 1, 20 do assert.are.equal(("v"):rep(i * 300), (read:get(("%02d"):format(i)))) end
  end)

  it("puts the first row only into a new one", function()
    local first = { first_key = "first", first_value = "row" }
    renew(first)
    given.rows { "first", "mine" }
    reopen(first)
    assert.are.equal("first=mine", given.committed())
  end)
end

local function accounts()
  it("counts its rows and its readers", function()
    local function stats() return given.ok(given.engine:stats()) end
    assert.are.equal(0, stats().entries)
    given.rows "a b c"
    assert.are.equal(3, stats().entries)
    local txn = given.write { "a", "replaced", "d", "new" }
    given.ok(txn:del "b")
    assert.are.equal(3, stats().entries)
    given.ok(txn:commit())
    assert.are.equal(3, stats().entries)
    local first, second = given.read(), given.read()
    assert.are.equal(2, stats().readers)
    first:rollback()
    second:rollback()
    assert.are.equal(0, stats().readers)
  end)

  it("uses more bytes for more, within its limit", function()
    local before = given.ok(given.engine:stats())
    given.rows { "a", ("x"):rep(1000000) }
    local after = given.ok(given.engine:stats())
    assert.is_true(after.bytes_used >= before.bytes_used + 900000)
    assert.is_true(after.bytes_limit == 0 or after.bytes_limit > after.bytes_used)
  end)

  it("finds no damage in what it wrote", function()
    local txn = given.write()
    for i = 1, 3000 do given.ok(txn:put(("%d"):format(i * 7919 % 3000), ("v"):rep(i % 200))) end
    given.ok(txn:del_range("1", "2"))
    given.put(txn, { "large", ("x"):rep(300000) })
    given.ok(txn:commit())
    assert.are.same({}, given.ok(given.engine:check()))
  end)

  it("syncs, with nothing and with something to write", function()
    given.ok(given.engine:sync())
    given.rows "a"
    given.ok(given.engine:sync())
  end)
end

local function rows()
  it("tells each row that its layer finds damaged, by its key", function()
    renew { rows = true }
    given.rows { "no row", "x", "another", "" }
    local keys = {}
    for i, finding in ipairs(given.ok(given.engine:check())) do
      keys[i] = finding.key
      assert.is_truthy(#finding.text > 0)
    end
    table.sort(keys)
    assert.are.same({ "another", "no row" }, keys)
  end)
end

return function()
  describe("opening", opening)
  if given.promises.durable then describe("opening again", reopening) end
  describe("stats, check and sync", accounts)
  describe("check of rows", rows)
end
