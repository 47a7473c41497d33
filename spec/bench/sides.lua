-- sides.lua -- the same store four times: Larder, and what a Lua user assembles instead. `sides.open[name](path, durable)` gives
-- { get, save, save_all, rate, each, has, import, close }, all plain functions. Raw liblmdb knows no rooms: rows.lua.
local sides = { open = {}, missing = {} }

local function optional(module)
  local found, result = pcall(require, module)
  sides.missing[module] = not found or nil
  return found and result
end

local larder = require "larder"
local minimal = require "larder_bench_minimal"
local cjson = optional "cjson"
local luasql = optional "luasql.sqlite3"

-- ---- Larder ----

function sides.open.larder(path, durable)
  local store = larder.open { engine = "lmdb", path = path, durability = durable and "commit" or "none" }
  local rooms = store:rooms()
  return {
    get = function(name) return rooms:get(name) end,
    save = function(room) rooms:save(room) end,
    save_all = function(list)
      store:update(function(tx)
        local here = tx:rooms()
        for i = 1, #list do here:save(list[i]) end
      end)
    end,
    rate = function(name, user, media, rating, time) return rooms:rate(name, user, media, rating, time) end,
    each = function() return rooms:each() end,
    has = function(name) return rooms:has(name) end,
    import = function(folder) rooms:import(folder) end,
    close = function() store:close() end,
  }
end

-- ---- rooms as JSON, one text each: what the other two share ----

local function list_likes(votes)
  local users, latest = {}, nil
  for _, vote in ipairs(votes) do
    if vote[2] == "like" then
      users[#users + 1] = vote[1]
      latest = latest and math.max(latest, vote[3]) or vote[3]
    end
  end
  return users, latest
end

local function rate_in(room, user, media, rating, time)
  room.ratings, room.userProgress = room.ratings or {}, room.userProgress or {}
  local votes = room.ratings[media] or {}
  for _, vote in ipairs(votes) do
    if vote[1] == user then
      return { rated = false, progress = room.userProgress[user] }
    end
  end
  votes[#votes + 1] = { user, rating, time }
  room.ratings[media] = votes
  room.userProgress[user] = (room.userProgress[user] or 0) + 1
  local users, latest = list_likes(votes)
  local match = rating == "like" and #users >= 2 and { mediaId = media, users = users, matchedAt = latest } or nil
  return { rated = true, progress = room.userProgress[user], match = match }
end

local function read_text(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- `db` reads and writes texts: get(name), put(name, text), put_all(function(put) … end), each(), close().
local function json_rooms(db)
  local encode, decode = cjson.encode, cjson.decode
  local function get(name)
    local text = db.get(name)
    return text and decode(text)
  end
  return {
    get = get,
    save = function(room) db.put(room.roomName, encode(room)) end,
    save_all = function(list)
      db.put_all(function(put)
        for i = 1, #list do put(list[i].roomName, encode(list[i])) end
      end)
    end,
    rate = function(name, ...)
      local room = get(name)
      local result = rate_in(room, ...)
      db.put(name, encode(room))
      return result
    end,
    each = function()
      local next_text = db.each()
      return function()
        local name, text = next_text()
        if name then return name, decode(text) end
      end
    end,
    has = function(name) return db.get(name) ~= nil end,
    import = function(_, files)
      db.put_all(function(put)
        for _, path in ipairs(files) do
          local room = decode(read_text(path))
          put(room.roomName, encode(room))
        end
      end)
    end,
    close = db.close,
  }
end

-- ---- a minimal binding of liblmdb, with lua-cjson ----

if cjson then
  function sides.open.minimal(path, durable)
    local env = minimal.open(path, durable)
    return json_rooms {
      get = function(name) return env:get(name) end,
      put = function(name, text) env:put(name, text) end,
      put_all = function(fill)
        local txn = env:begin()
        fill(function(name, text) txn:put(name, text) end)
        txn:commit()
      end,
      each = function() return env:each() end,
      close = function() env:close() end,
    }
  end
end

-- ---- SQLite through lua-sql-sqlite3, with lua-cjson ----

local function sqlite_rooms(driver, con)
  local function run(...) return assert(con:execute((...):format(select(2, ...)))) end
  local function escape(text) return con:escape(text) end
  local function put(name, text)
    run("INSERT OR REPLACE INTO rooms VALUES('%s','%s')", escape(name), escape(text))
  end
  return {
    get = function(name)
      local cursor = run("SELECT body FROM rooms WHERE name='%s'", escape(name))
      local text = cursor:fetch()
      cursor:close()
      return text
    end,
    put = put,
    put_all = function(fill)
      run "BEGIN IMMEDIATE"
      fill(put)
      run "COMMIT"
    end,
    each = function()
      local cursor = run "SELECT name, body FROM rooms ORDER BY name"
      return function() return cursor:fetch() end
    end,
    close = function()
      con:close()
      driver:close()
    end,
  }
end

if cjson and luasql then
  function sides.open.sqlite(path, durable)
    local driver = luasql.sqlite3()
    local con = assert(driver:connect(path .. "/rooms.db"))
    assert(con:execute "PRAGMA journal_mode=WAL"):close()
    assert(con:execute("PRAGMA synchronous=" .. (durable and "FULL" or "OFF")))
    assert(con:execute "CREATE TABLE IF NOT EXISTS rooms(name TEXT PRIMARY KEY, body TEXT)")
    return json_rooms(sqlite_rooms(driver, con))
  end
end

sides.order = {}
for _, name in ipairs { "larder", "minimal", "sqlite" } do
  if sides.open[name] then
    table.insert(sides.order, name)
  end
end

return sides
