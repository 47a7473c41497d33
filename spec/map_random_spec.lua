-- Maps at random, against a plain Lua model; and maps that change while they are walked.
local model_keys = require "model_keys"
local support = require "support"

local on_each_engine, same = support.on_each_engine, support.same

local pieces = { "", "a", "b", "\0", "\xff", "a\xff", "ab" }
local long = { ("x"):rep(480), ("x"):rep(600), ("\xff"):rep(700), ("\0"):rep(240) }

local function pick(list) return list[math.random(#list)] end

local function random_part()
  local dice = math.random(10)
  if dice <= 3 then return math.random(-3, 3) end
  if dice <= 8 then return pick(pieces) .. pick(pieces) end
  return pick(long) .. pick(pieces) .. pick(pieces) .. ("y"):rep(math.random(0, 3))
end

local function random_key()
  local parts = {}
  for i = 1, pick { 1, 1, 1, 2, 3 } do parts[i] = random_part() end
  return #parts == 1 and parts[1] or parts
end

local function random_range()
  local range = {}
  if math.random(2) == 1 then range.from = random_key() end
  if math.random(2) == 1 then range.to = random_key() end
  if math.random(3) == 1 then range.prefix = random_key() end
  if type(range.prefix) == "string" then range.prefix = range.prefix:sub(1, math.random(0, #range.prefix)) end
  range.from_open = math.random(2) == 1
  range.to_open = math.random(2) == 1
  return range
end

local function entries_of(map, range)
  local entries = {}
  for key, value in map:range(range) do entries[#entries + 1] = { key, value } end
  return entries
end

local steps = {}

function steps.write(map, model)
  local key, value = random_key(), math.random(1000)
  local options = { if_absent = math.random(2) == 1 }
  same(model:set(key, value, options), map:set(key, value, options))
end
steps.write_again = steps.write
steps.write_more = steps.write

function steps.delete(map, model)
  local entry = pick(model.entries)
  local key = entry and math.random(3) > 1 and entry[1] or random_key()
  same(model:delete(key), map:delete(key))
end

function steps.increment(map, model)
  local key, n = random_key(), math.random(-5, 5)
  same(model:increment(key, n), map:increment(key, n))
end

function steps.read(map, model)
  local key = random_key()
  same(model:get(key), map:get(key))
  same(model:get(key) ~= nil, map:has(key))
  same(model:range { from = key, from_open = true, limit = 1 }[1] or {}, { map:after(key) })
  same(model:range { to = key, to_open = true, reverse = true, limit = 1 }[1] or {}, { map:before(key) })
  same(model:range { limit = 1 }[1] or {}, { map:first() })
  same(model:range { limit = 1, reverse = true }[1] or {}, { map:last() })
end

function steps.range(map, model)
  local range = random_range()
  range.reverse = math.random(2) == 1
  range.limit = math.random(4) == 1 and math.random(0, 5) or nil
  same(model:range(range), entries_of(map, range))
end

function steps.delete_range(map, model)
  local range = random_range()
  if #model:range(range) < 20 then same(model:delete_range(range), map:delete_range(range)) end
end

local names = {}
for name in pairs(steps) do names[#names + 1] = name end
table.sort(names)

local function play(map, model, count)
  for _ = 1, count do steps[pick(names)](map, model) end
  same(model.entries, entries_of(map))
  same(#model.entries, map:count())
end

-- What happens in a transaction that is rolled back did not happen.
local function play_in_transaction(store, name, model, fails)
  local inside = model_keys.copy(model)
  local ok, raised = pcall(store.update, store, function(tx)
    play(tx:map(name), inside, 30)
    if fails then error "on purpose" end
  end)
  assert(ok or tostring(raised):find "on purpose", raised)
  return ok and inside or model
end

on_each_engine("a map", function(given)
  for _, name in ipairs { "m", "m\0", ("n"):rep(470), ("n"):rep(1000) } do
    it(("does what the model does, long keys included, under a name of %d bytes"):format(#name), function()
      support.at_random(function()
        local map, model = given.store:map(name), model_keys.new()
        for _ = 1, 6 do
          play(map, model, 60)
          model = play_in_transaction(given.store, name, model, math.random(2) == 1)
        end
        same(#model.entries, map:delete_range {})
        same(0, map:count())
      end)
    end)
  end

  it("has hundreds of long keys that begin alike in order, each once", function()
    local map, model = given.store:map "m", model_keys.new()
    given.store:update(function(tx)
      for i = 1, 300 do
        local key = ("k"):rep(490 + i % 40) .. i
        tx:map("m"):set(key, i)
        model:set(key, i)
      end
    end)
    local ends = { from = ("k"):rep(500), to = ("k"):rep(520) .. "5" }
    for _, range in ipairs { {}, ends, { prefix = ("k"):rep(510) }, { limit = 70 } } do
      for _, reverse in ipairs { false, true } do
        range.reverse = reverse
        same(model:range(range), entries_of(map, range))
        given.store:update(function(tx) same(model:range(range), entries_of(tx:map "m", range)) end)
      end
    end
    ends.reverse = nil
    same(model:delete_range(ends), map:delete_range(ends))
    same(model.entries, entries_of(map))
  end)
end)

-- ---- while it changes ----

--- Long ones that begin alike, and short ones.
local function steady_key(i)
  return i % 3 == 0 and { ("k"):rep(600), i } or i % 3 == 1 and ("k"):rep(494) .. i or { "k", i }
end

local function disturb(map, i)
  local key = support.copy(steady_key(math.random(300)))
  local guest = type(key) == "table" and { key[1], key[2], "guest", i } or key .. "guest"
  local dice = math.random(3)
  if dice == 1 then map:set(guest, "guest") end
  if dice == 2 then map:delete(guest) end
  if dice == 3 then map:delete_range { prefix = { "guest" } } end
end

--- Those that stay come exactly once, in order, whatever is done to others between the steps.
local function walk(map, wanted, range)
  local seen, before = 0, nil
  for key, value in map:range(range) do
    if before then same(range.reverse and -1 or 1, model_keys.compare(key, before) > 0 and 1 or -1) end
    before = key
    if value ~= "guest" then
      seen = seen + 1
      map:set(key, value)
    else
      map:delete(key)
    end
    disturb(map, seen)
  end
  assert.are.equal(wanted, seen)
end

on_each_engine("a range over what changes", function(given)
  before_each(function()
    given.store:update(function(tx)
      for i = 1, 300 do tx:map("m"):set(steady_key(i), i) end
    end)
  end)

  for _, reverse in ipairs { false, true } do
    it("gives what stays exactly once: reverse = " .. tostring(reverse), function()
      support.at_random(function()
        walk(given.store:map "m", 300, { reverse = reverse })
        given.store:update(function(tx) walk(tx:map "m", 300, { reverse = reverse }) end)
      end)
    end)
  end

  it("lets each key be deleted at its step", function()
    local map, count = given.store:map "m", 0
    for key in map:range() do
      assert.is_true(map:delete(key))
      count = count + 1
    end
    assert.are.equal(300, count)
    assert.are.equal(0, map:count())
  end)

  it("goes to the next key as it is then in a write transaction", function()
    given.store:update(function(tx)
      local map, got = tx:map "n", {}
      map:set(1, 1)
      for key in map:range() do
        got[#got + 1] = key
        if key < 5 then map:set(key + 1, 1) end
      end
      same({ 1, 2, 3, 4, 5 }, got)
      for key in map:range { reverse = true } do map:delete_range { to = key } end
      same(0, map:count())
    end)
  end)

  it("reads the snapshot of a view", function()
    local map = given.store:map "m"
    given.store:view(function(tx)
      local count = 0
      for key in tx:map("m"):range() do
        map:delete(key)
        count = count + 1
      end
      same(300, count)
    end)
    same(0, map:count())
  end)

  it("holds no transaction between steps, stays at its end, ends with its store", function()
    local map = given.store:map "m"
    local step = map:range { limit = 2 }
    step()
    assert.are.equal(0, given.store:stats().readers)
    assert.truthy(step())
    assert.is_nil(step())
    assert.is_nil(step())
    step = map:range()
    given.store:close()
    support.raises("CLOSED", nil, step)
  end)
end)
