-- An older and a newer program on one store.
local larder = require "larder"
local people_of = require "people"
local support = require "support"

local same, raises = support.same, support.raises
local declare, ids = people_of.declare, people_of.ids
local ada3 = people_of.ada

describe("two versions of a program on one store #lmdb", function()
  local stores, path

  local function open()
    stores[#stores + 1] = larder.open { engine = "lmdb", path = path, durability = "none" }
    return stores[#stores]
  end

  before_each(function() stores, path = {}, support.folder() .. "/store" end)
  after_each(function()
    for _, store in ipairs(stores) do store:close() end
    support.remove_folders()
  end)

  it("read each other's documents upwards, and refuse them downwards", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    old:create { id = 1, name = "Ada Byron" }
    new:create { id = 2, first = "Alan", last = "Turing" }
    same({ id = 1, first = "Ada", last = "Byron" }, (new:get(1)))
    same({ id = 1, name = "Ada Byron" }, (old:get(1)))
    local texts = { 'collection "people"', "document 2", "a newer program", "version 2", "version 1" }
    raises("UNSUPPORTED", texts, old.get, old, 2)
    raises("UNSUPPORTED", texts, old.find, old)
    raises("UNSUPPORTED", texts, old.find, old, { sort = "-first" })
    raises("UNSUPPORTED", texts, old.count, old, { id = 2 })
    raises("UNSUPPORTED", texts, old.distinct, old, "name")
    raises("UNSUPPORTED", texts, function() for _ in old:each() do end end)
    same({ { id = 1, name = "Ada Byron" } }, (old:find { limit = 1 }))
    same({ { id = 1, name = "Ada Byron" } }, (old:find { where = { name = "Ada Byron" } }))
    assert.is_true(old:has(2))
    assert.are.equal(2, old:count())
  end)

  it("never write a newer document back", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    new:create { id = 2, first = "Alan", last = "Turing" }
    local _, revision = new:get(2)
    local texts = { 'collection "people"', "document 2", "version 2", "version 1" }
    raises("UNSUPPORTED", texts, old.put, old, { id = 2, name = "x" })
    raises("UNSUPPORTED", texts, old.put, old, { id = 2, name = "x" }, { if_rev = revision })
    raises("UNSUPPORTED", texts, old.update, old, 2, { name = "x" })
    raises("UNSUPPORTED", texts, old.update, old, 2, { name = "x" }, { upsert = true })
    raises("UNSUPPORTED", texts, old.update, old, 2, function(doc) return doc end)
    raises("UNSUPPORTED", texts, old.update_where, old, {}, { name = "x" })
    raises("UNSUPPORTED", texts, old.delete_where, old, {})
    raises("EXISTS", nil, old.create, old, { id = 2, name = "x" })
    assert.are.equal(0, old:upgrade_all())
    same({ id = 2, first = "Alan", last = "Turing" }, (new:get(2)))
    assert.are.equal(revision, select(2, new:get(2)))
    assert.is_true(old:delete(2))
    assert.are.equal(0, new:count())
  end)

  it("refuse newer documents whether an index leads to them or not", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    for i = 1, 20 do old:create { id = i, name = "Old " .. i, n = i } end
    new:create { id = 50, first = "N", last = "M", n = 50 }
    local function answers()
      local list = {}
      for i, query in ipairs { { where = { n = 3 } }, { where = { n = { ["$gt"] = 18 } } }, { where = { n = { ["$gt"] = 18 } }, limit = 2 },
        { where = { n = 50 } }, { sort = "n", limit = 5 }, { sort = "-n", limit = 5 }, { sort = "-n", limit = 5, offset = 1 } } do
        local ok, got = pcall(old.find, old, query)
        list[i] = ok and table.concat(ids(got), " ") or got.code
      end
      return list
    end
    local without = { "3", "UNSUPPORTED", "19 20", "UNSUPPORTED", "1 2 3 4 5", "UNSUPPORTED", "20 19 18 17 16" }
    same(without, answers())
    declare(stores[1], 1, { indexes = { "n" } })
    assert.are.equal("n", old:explain({ where = { n = 3 } }).index)
    same(without, answers())
  end)

  it("that says no version gets documents as they are stored, and lowers none", function()
    local new, raw = declare(open(), 3), open():collection "people"
    new:create(ada3)
    local one = open():collection("people", { version = 3 })
    same(ada3, (raw:get(1)))
    raw:put { id = 1, who = { first = "Ada", last = "Lovelace" } }
    raw:update(1, { more = 1 })
    raw:create { id = 5, who = { first = "x" } }
    same({ id = 1, who = { first = "Ada", last = "Lovelace" }, more = 1 }, (one:get(1)))
    same({ id = 5, who = { first = "x" } }, (new:get(5)))
    assert.are.equal(0, new:upgrade_all())
  end)

  it("keep the version when the store is opened again, and when the declaration came with a write", function()
    declare(open(), 2):create { id = 1, first = "Ada", last = "Byron" }
    for _, store in ipairs(stores) do store:close() end
    same(ada3, (declare(open(), 3):get(1)))
    stores[#stores]:view(function(tx) assert.are.equal(1, tx:collection("people"):count()) end)
    raises("UNSUPPORTED", "version 2", function() return declare(open(), 1):get(1) end)
  end)

  it("may come and go: an old one writes on, and a new one goes on upgrading", function()
    local old, new = declare(open(), 1), declare(open(), 2)
    for i = 1, 10 do old:create { id = i, name = "A B" } end
    assert.are.equal(10, new:upgrade_all { batch = 3 })
    for i = 11, 13 do old:create { id = i, name = "A B" } end
    old:create { id = -1, name = "A B" }
    local seen = 0
    local count = new:upgrade_all { batch = 2, progress = function()
      seen = seen + 1
      if seen == 1 then old:create { id = -5, name = "A B" } end
    end }
    assert.are.equal(5, count)
    assert.are.equal(15, new:count { first = "A" })
    assert.are.equal(0, new:upgrade_all())
  end)
end)
