--- A store with something of every kind in it, and how to tell that two stores hold the same.
local larder = require "larder"

local stocked = {}

local function fill_rooms(store)
  local rooms = store:rooms()
  for i = 1, 12 do
    local room = { roomName = "room-" .. i, password = "p" .. i, n = i, ratings = {}, userProgress = { ada = i } }
    for k = 1, i do room.ratings["movie-" .. k] = { { "ada", k % 2 == 0 and "like" or "dislike", k } } end
    rooms:save(room)
  end
  rooms:rate("room-3", "grace", "movie-2", "like", 99)
  rooms:save { roomName = ("long"):rep(250), odd = { [1] = "a", [false] = 1.0, [2.5] = "\xff\0" } }
  rooms:save { roomName = "nul\0\xff", empty = larder.array {} }
end

local function deep(levels)
  local value = {}
  for _ = 2, levels do value = { value } end
  return value
end

local function fill_documents(store)
  local plans = store:collection("plans", { indexes = { "status", { "n", unique = true }, { "tags" } } })
  for i = 1, 60 do plans:put { id = i, status = "s" .. i % 4, n = i, tags = { "t" .. i % 3, "u" } } end
  plans:delete(60)
  local old = store:collection "versioned"
  old:put { id = "first", a = 1 }
  store:collection("versioned", { version = 3 }):put { id = "second", b = 2 }
  store:collection("keyed", { key = "sku", indexes = { { "price", where = { active = true } } } }):put {
    sku = ("x"):rep(700), price = 0.1, active = true, long = math.maxinteger, nan = 0 / 0, literal = { ["$numberLong"] = "5" },
  }
  store:collection "a\0b":put { id = "é", at = -0.0, deep = deep(127) }
  store:collection("declared", { indexes = { "x" } })
end

local function fill_others(store)
  local map = store:map "seen"
  for i = 1, 40 do map:set({ "k", i }, { i, i / 2 }) end
  map:set(7, false)
  map:set(("k"):rep(900), larder.null)
  local queue = store:queue("mail", { lease = 60 })
  for i = 1, 10 do queue:enqueue({ to = i }, { key = "key-" .. i, priority = i % 3 }) end
  queue:enqueue({ to = "later" }, { delay = 3600 })
  queue:ack(queue:dequeue())
  queue:fail(queue:dequeue(), "no", { retry = false })
  stocked.job = queue:dequeue()
end

--- Fill a store.
function stocked.fill(store)
  fill_rooms(store)
  fill_documents(store)
  fill_others(store)
  return store
end

local function without_ends(text)
  return text:match "^[^\n]*\n(.*\n)[^\n]*\n$" or ""
end

--- All of a store as a text: of equal stores it is equal.
function stocked.text(store)
  local parts = {}
  store:dump(function(part) parts[#parts + 1] = part end, { unfinished = true })
  return without_ends(table.concat(parts))
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
  return lines
end

--- Fails with the first line that differs; `text` is what stocked.text gave.
function stocked.holds(text, store)
  local expected, got = lines_of(text), lines_of(stocked.text(store))
  for i = 1, math.max(#expected, #got) do
    assert(expected[i] == got[i],
      ("line %d: expected %s, got %s"):format(i, tostring(expected[i]):sub(1, 300), tostring(got[i]):sub(1, 300)))
  end
end

return stocked
