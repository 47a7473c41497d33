--- larder.q: what a field is compared with, as plain tables of MongoDB's operators.
---
---     { age = q.gte(18) & q.lt(65), name = q.prefix "Jo" | q.eq(larder.null), tags = ~q.size(0) }
---
--- `&`, `|` and `~` give such tables, too; one of the two sides may be a table written by hand.
local core = require "larder.core"

local query = {}

local condition_mt = {}

local function condition(operators)
  return setmetatable(operators, condition_mt)
end

--- nil stands for null, as larder.null does.
local function present(value)
  if value == nil then return core.null end
  return value
end

local function check_type(name, wanted, value)
  if type(value) == wanted then return value end
  core.fail("larder.q." .. name, ("expected a %s, got %s"):format(wanted, type(value)))
end

local function check_operators(op, value)
  if type(value) ~= "table" or next(value) == nil then
    core.fail("larder.q", ("%s: expected operators on both sides, such as q.gt(1), got a %s"):format(op, type(value)))
  end
  for name in pairs(value) do
    if type(name) ~= "string" or name:sub(1, 1) ~= "$" then
      core.fail("larder.q", ("%s: expected operators on both sides, such as q.gt(1), got a field"):format(op))
    end
  end
end

local function share_an_operator(a, b)
  for name in pairs(b) do
    if a[name] ~= nil then return true end
  end
  return false
end

--- The branches of `both`, where that is nothing but one `name`; else itself.
local function add_branches(branches, name, both)
  local inner = both[name]
  if inner and next(both, next(both)) == nil then
    table.move(inner, 1, #inner, #branches + 1, branches)
  else
    branches[#branches + 1] = both
  end
end

local function join(name, a, b)
  local branches = {}
  add_branches(branches, name, a)
  add_branches(branches, name, b)
  return condition { [name] = branches }
end

--- One table of both where no operator is in both; it means the same.
function condition_mt.__band(a, b)
  check_operators("&", a)
  check_operators("&", b)
  if share_an_operator(a, b) then return join("$and", a, b) end
  local both = {}
  for _, side in ipairs { a, b } do
    for name, operand in pairs(side) do both[name] = operand end
  end
  return condition(both)
end

function condition_mt.__bor(a, b)
  check_operators("|", a)
  check_operators("|", b)
  return join("$or", a, b)
end

function condition_mt.__bnot(a)
  return condition { ["$not"] = a }
end

for name, operator in pairs { eq = "$eq", ne = "$ne", gt = "$gt", gte = "$gte", lt = "$lt", lte = "$lte" } do
  query[name] = function(value) return condition { [operator] = present(value) } end
end

--- Any of the values of a list.
function query.one_of(list)
  return condition { ["$in"] = check_type("one_of", "table", list) }
end

function query.none_of(list)
  return condition { ["$nin"] = check_type("none_of", "table", list) }
end

--- A string that begins so.
function query.prefix(text)
  return condition { ["$prefix"] = check_type("prefix", "string", text) }
end

--- A POSIX extended regular expression; options: "i", upper and lower case are the same.
function query.match(pattern, options)
  return condition { ["$regex"] = check_type("match", "string", pattern), ["$options"] = options }
end

--- The field is there, even as null; exists(false): it is not.
function query.exists(there)
  return condition { ["$exists"] = there == nil or there }
end

--- An array of so many elements.
function query.size(count)
  return condition { ["$size"] = check_type("size", "number", count) }
end

--- An array with each of the list.
function query.all(list)
  return condition { ["$all"] = check_type("all", "table", list) }
end

--- An array with an element that matches: a filter on its fields, or operators on itself.
function query.any(filter)
  return condition { ["$elemMatch"] = check_type("any", "table", filter) }
end

return query
