local larder = require "larder"
local support = require "support"

local same, raises = support.same, support.raises
local q, null = larder.q, larder.null

--- The tables without their metatables.
local function plain(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, field in pairs(value) do copy[key] = plain(field) end
  return copy
end

describe("larder.q", function()
  it("makes plain tables of operators", function()
    local list = { 1, 2 }
    for wanted, got in pairs {
      ["$eq"] = q.eq(1), ["$ne"] = q.ne(1), ["$gt"] = q.gt(1), ["$gte"] = q.gte(1), ["$lt"] = q.lt(1), ["$lte"] = q.lte(1),
      ["$size"] = q.size(1),
    } do same({ [wanted] = 1 }, plain(got)) end
    same({ ["$in"] = list }, plain(q.one_of(list)))
    same({ ["$nin"] = list }, plain(q.none_of(list)))
    same({ ["$all"] = list }, plain(q.all(list)))
    same({ ["$prefix"] = "Jo" }, plain(q.prefix "Jo"))
    same({ ["$regex"] = "^a" }, plain(q.match "^a"))
    same({ ["$regex"] = "^a", ["$options"] = "i" }, plain(q.match("^a", "i")))
    same({ ["$exists"] = true }, plain(q.exists()))
    same({ ["$exists"] = false }, plain(q.exists(false)))
    same({ ["$elemMatch"] = { a = 1 } }, plain(q.any { a = 1 }))
  end)

  it("takes nil for null", function()
    same({ ["$eq"] = null }, plain(q.eq()))
    same({ ["$ne"] = null }, plain(q.ne(nil)))
    same({ ["$eq"] = false }, plain(q.eq(false)))
  end)

  it("combines: one table where it can be, else $and, $or, $not", function()
    same({ ["$gte"] = 1, ["$lt"] = 5 }, plain(q.gte(1) & q.lt(5)))
    same({ ["$gte"] = 1, ["$lt"] = 5, ["$ne"] = 3 }, plain(q.gte(1) & q.lt(5) & q.ne(3)))
    same({ ["$gte"] = 1, ["$lt"] = 5 }, plain(q.gte(1) & { ["$lt"] = 5 }))
    same({ ["$gte"] = 1, ["$lt"] = 5 }, plain({ ["$gte"] = 1 } & q.lt(5)))
    same({ ["$and"] = { { ["$ne"] = 1 }, { ["$ne"] = 2 } }, ["$ne"] = 3 }, plain(q.ne(1) & q.ne(2) & q.ne(3)))
    same({ ["$and"] = { { ["$ne"] = 1 }, { ["$ne"] = 2 }, { ["$gt"] = 1 }, { ["$gt"] = 0 } } },
      plain((q.ne(1) & q.ne(2)) & (q.gt(1) & q.gt(0))))
    same({ ["$or"] = { { ["$eq"] = 1 }, { ["$gt"] = 2 }, { ["$lt"] = 0 } } }, plain(q.eq(1) | q.gt(2) | q.lt(0)))
    same({ ["$or"] = { { ["$eq"] = 1 }, { ["$gt"] = 2, ["$lt"] = 4 } } }, plain(q.eq(1) | q.gt(2) & q.lt(4)))
    same({ ["$not"] = { ["$gt"] = 2 } }, plain(~q.gt(2)))
    same({ ["$not"] = { ["$not"] = { ["$gt"] = 2 } } }, plain(~~q.gt(2)))
  end)

  it("leaves what it combines as it was", function()
    local low, high = q.gt(1), q.lt(5)
    local both, either = low & high, low | high
    for _, more in ipairs { both | q.eq(9), either | q.eq(9), ~low, both & q.ne(2) } do assert.truthy(next(more)) end
    same({ ["$gt"] = 1 }, plain(low))
    same({ ["$gt"] = 1, ["$lt"] = 5 }, plain(both))
    same({ ["$or"] = { { ["$gt"] = 1 }, { ["$lt"] = 5 } } }, plain(either))
  end)

  it("refuses what makes no condition", function()
    for name, bad in pairs { one_of = 1, none_of = "a", all = true, any = 1, prefix = 1, match = {}, size = "1" } do
      raises("INVALID", "expected a ", q[name], bad)
      raises("INVALID", "got nil", q[name])
    end
    for _, bad in ipairs { 1, "a", {}, { a = 1 }, { 1 } } do
      raises("INVALID", "&: expected operators", function() return q.gt(1) & bad end)
      raises("INVALID", "|: expected operators", function() return bad | q.gt(1) end)
    end
  end)
end)

support.on_each_engine("larder.q in a filter", function(given)
  it("means what the operators mean", function()
    local numbers = given.store:collection "numbers"
    for i = 1, 20 do numbers:put { id = i, n = i, s = "s" .. i, list = { i, i + 1 }, odd = i % 2 == 1 or nil } end
    local function ids(filter)
      local list = {}
      for i, document in ipairs(numbers:find { where = filter }) do list[i] = document.id end
      return table.concat(list, " ")
    end
    assert.are.equal("3 4", ids { n = q.gt(2) & q.lte(4) })
    assert.are.equal("1 20", ids { n = q.lt(2) | q.gt(19) })
    assert.are.equal("1 2 20", ids { n = ~(q.gt(2) & q.lt(20)) })
    assert.are.equal("4 6", ids { n = q.one_of { 4, 5, 6 } & q.ne(5) })
    assert.are.equal("1 2", ids { n = ~q.gt(4) & q.ne(3) & q.ne(4) })
    assert.are.equal("2 20", ids { s = q.prefix "s2" })
    assert.are.equal("1 11", ids { s = q.match("^S1?1$", "i") })
    assert.are.equal("2 4", ids { odd = q.exists(false), n = q.lt(5) })
    assert.are.equal("1 20", ids { list = q.any(q.eq(1) | q.eq(21)) })
    assert.are.equal("7", ids { list = q.all { 7, 8 } & q.size(2) })
    assert.are.equal("19 20", ids { ["$or"] = { { n = q.eq(19) }, { list = 21 } } })
    assert.are.equal("6 8", ids { odd = q.eq(nil), n = q.none_of { 2, 4 } & q.lt(10) })
  end)
end)
