-- collection_sides.lua -- the same documents twice: in a collection of Larder, and as JSON texts in SQLite with indexes on
-- json_extract. `open[name](path, durable)` gives { create, create_all, get, of, newest, matching, each, close }, all plain functions.
-- Both have two indexes: the email; the status with the time, latest first. SQLite gives documents in the order in which they came,
-- which is that of the ids here.
local larder = require "larder"
local sides = require "spec.bench.sides"

local collection_sides = { open = {}, order = {} }

-- ---- Larder ----

function collection_sides.open.larder(path, durable)
  local store = larder.open { engine = "lmdb", path = path, durability = durable and "commit" or "none" }
  local plans = store:collection("plans", { indexes = { "email", { "status", "-createdAt" } } })
  return {
    create = function(document) plans:create(document) end,
    create_all = function(documents)
      store:update(function(tx)
        local here = tx:collection "plans"
        for i = 1, #documents do here:create(documents[i]) end
      end)
    end,
    get = function(id) return (plans:get(id)) end,
    of = function(email) return (plans:find { where = { email = email } }) end,
    newest = function(status) return (plans:find { where = { status = status }, sort = "-createdAt", limit = 20 }) end,
    matching = function(team, priority)
      return (plans:find { where = { ["owner.team"] = team, priority = { ["$gte"] = priority } } })
    end,
    each = function() return plans:each() end,
    close = function() store:close() end,
  }
end

-- ---- SQLite through lua-sql-sqlite3, with lua-cjson ----

local INDEXES = {
  "CREATE INDEX IF NOT EXISTS of_email ON plans(json_extract(body, '$.email'))",
  "CREATE INDEX IF NOT EXISTS of_status ON plans(json_extract(body, '$.status'), json_extract(body, '$.createdAt') DESC)",
}

local function connect(driver, path, durable)
  local con = assert(driver:connect(path .. "/plans.db"))
  assert(con:execute "PRAGMA journal_mode=WAL"):close()
  assert(con:execute("PRAGMA synchronous=" .. (durable and "FULL" or "OFF")))
  assert(con:execute "CREATE TABLE IF NOT EXISTS plans(id TEXT PRIMARY KEY, body TEXT)")
  for _, index in ipairs(INDEXES) do
    assert(con:execute(index))
  end
  return con
end

-- What SELECT and INSERT do: { each, list, create }, with JSON texts decoded and encoded.
local function sqlite_statements(con, cjson)
  local encode, decode = cjson.encode, cjson.decode
  local function each(condition)
    local cursor = assert(con:execute("SELECT body FROM plans " .. condition))
    return function()
      local text = cursor:fetch()
      return text and decode(text)
    end
  end
  local function list(condition, ...)
    local documents = {}
    for document in each(condition:format(...)) do
      documents[#documents + 1] = document
    end
    return documents
  end
  local function create(document)
    local id, text = con:escape(document.id), con:escape(encode(document))
    assert(con:execute("INSERT INTO plans VALUES('" .. id .. "','" .. text .. "')"))
  end
  return each, list, create
end

local MATCHING = "WHERE json_extract(body, '$.owner.team')='%s' AND json_extract(body, '$.priority')>=%d"
local NEWEST = "WHERE json_extract(body, '$.status')='%s' ORDER BY json_extract(body, '$.createdAt') DESC LIMIT 20"

local function sqlite_plans(driver, con, cjson)
  local each, list, create = sqlite_statements(con, cjson)
  return {
    create = create,
    create_all = function(documents)
      assert(con:execute "BEGIN IMMEDIATE")
      for i = 1, #documents do create(documents[i]) end
      assert(con:execute "COMMIT")
    end,
    get = function(id) return list("WHERE id='%s'", con:escape(id))[1] end,
    of = function(email) return list("WHERE json_extract(body, '$.email')='%s'", con:escape(email)) end,
    newest = function(status) return list(NEWEST, con:escape(status)) end,
    matching = function(team, priority) return list(MATCHING, con:escape(team), priority) end,
    each = function() return each "" end,
    close = function()
      con:close()
      driver:close()
    end,
  }
end

if sides.open.sqlite then
  local cjson, luasql = require "cjson", require "luasql.sqlite3"
  function collection_sides.open.sqlite(path, durable)
    local driver = luasql.sqlite3()
    return sqlite_plans(driver, connect(driver, path, durable), cjson)
  end
end

for _, name in ipairs(sides.order) do
  if collection_sides.open[name] then
    table.insert(collection_sides.order, name)
  end
end

return collection_sides
