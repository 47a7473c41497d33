-- queues.lua -- the rows about jobs: in and out, one by one and in batches, durable and not, in memory, beside many others. As in rows.lua.
--
-- QUEUE_JOBS (100,000) is how many delayed, done or dead jobs "many" are.
local data = require "spec.bench.data"
local measure = require "spec.bench.measure"
local sides = require "spec.bench.queue_sides"

local queues = {}

local BATCH = 100
local MANY = tonumber(os.getenv "QUEUE_JOBS") or 100000

local function job(i)
  return { plan = ("0190e5a4-7b1e-7c3a-9d2f-%012d"):format(i), kind = "build", steps = { "fetch", "compile", "test" }, dry = false }
end

local function jobs(n)
  local list = {}
  for i = 1, n do list[i] = job(i) end
  return list
end

local function fill(side, n)
  for first = 1, n, 1000 do side.enqueue_many(jobs(math.min(1000, n - first + 1))) end
end

-- ---- contestants: how many jobs go through it in a run is always n ----

local function enqueue_each(side, least)
  local list
  return {
    least = least,
    prepare = function(n)
      side.clear()
      list = jobs(n)
    end,
    run = function(n)
      for i = 1, n do side.enqueue(list[i]) end
    end,
  }
end

local function enqueue_batches(side)
  local list
  return {
    least = BATCH,
    prepare = function()
      side.clear()
      list = jobs(BATCH)
    end,
    run = function(n)
      for _ = 1, n, BATCH do side.enqueue_many(list) end
    end,
  }
end

local function filled(side, least, run)
  return {
    least = least,
    prepare = function(n)
      side.clear()
      fill(side, n + BATCH)
    end,
    run = run,
  }
end

local function dequeue_each(side, least)
  return filled(side, least, function(n)
    for _ = 1, n do side.ack(side.dequeue()) end
  end)
end

local function dequeue_batches(side)
  return filled(side, BATCH, function(n)
    for _ = 1, n, BATCH do side.ack_many(side.dequeue_many(BATCH)) end
  end)
end

local function next_each(side, least)
  return filled(side, least, function(n)
    local one = side.dequeue()
    for _ = 1, n do one = side.next(one) end
    side.ack(one)
  end)
end

-- ---- groups ----

local function open_all(durable)
  local stores = {}
  for _, name in ipairs(sides.order) do stores[name] = sides.open[name] { path = data.folder(), durable = durable } end
  return stores
end

local function contest(stores, make, least, beside)
  local contestants = { raw = beside }
  for name, side in pairs(stores) do contestants[name] = make(side, least) end
  return contestants
end

local function closing(stores, env)
  return function()
    for _, side in pairs(stores) do side.close() end
    if env then env:close() end
  end
end

function queues.durable()
  local stores = open_all(true)
  local puts, env = sides.raw_puts(fill, true)
  local target = { side = "sqlite", limit = 1 / 1.3 }
  return {
    clock = measure.wall,
    turns = 20,
    rows = {
      { title = "enqueue, durable", contestants = contest(stores, enqueue_each, 60, puts), target = target },
      { title = "dequeue and ack, durable", contestants = contest(stores, dequeue_each, 60), target = target },
      { title = "next: ack and dequeue in one, durable", contestants = contest(stores, next_each, 60),
        target = { row = 2, limit = 1 / 1.7 } },
    },
    close = closing(stores, env),
  }
end

function queues.unsynced()
  local stores = open_all(false)
  local puts, env = sides.raw_puts(fill, false)
  return {
    clock = measure.cpu,
    rows = {
      { title = "enqueue", contestants = contest(stores, enqueue_each, nil, puts), target = { side = "raw", limit = 2 } },
      { title = "dequeue and ack", contestants = contest(stores, dequeue_each, nil, puts), target = { side = "raw", limit = 4 } },
      { title = "enqueue, 100 at once", contestants = contest(stores, enqueue_batches), target = { row = 1, limit = 1 / 4 } },
      { title = "dequeue and ack, 100 at once", contestants = contest(stores, dequeue_batches), target = { row = 2, limit = 1 / 4 } },
      { title = "next: ack and dequeue in one", contestants = contest(stores, next_each), target = { row = 2, limit = 1 / 1.7 } },
    },
    close = closing(stores, env),
  }
end

-- A server of its own: processor time would leave out the server's, so these are in real time.
local function beside_beanstalkd(rows, memory)
  local server = sides.open_beanstalkd()
  if not server then
    io.stderr:write "bench: beanstalkd is not installed (or lua-socket, lua-cjson): its rows are left out; so are tarantool's\n"
    return nil
  end
  for _, row in ipairs { { "enqueue", enqueue_each }, { "dequeue and ack", dequeue_each } } do
    local target = { row = #rows + 1, limit = 1 }
    rows[#rows + 1] = { title = row[1] .. ", beanstalkd in memory", contestants = { larder = row[2](server) } }
    rows[#rows + 1] = { title = row[1] .. ", memory, once more", contestants = { larder = row[2](memory) }, target = target }
  end
  return server
end

function queues.memory()
  local lmdb, memory = sides.open.larder { path = data.folder() }, sides.open.larder { memory = true }
  local function one(side, make) return contest({ larder = side }, make) end
  local rows = {
    { title = "enqueue, LMDB unsynced", contestants = one(lmdb, enqueue_each) },
    { title = "enqueue, memory", contestants = one(memory, enqueue_each), target = { row = 1, limit = 1 } },
    { title = "dequeue and ack, LMDB unsynced", contestants = one(lmdb, dequeue_each) },
    { title = "dequeue and ack, memory", contestants = one(memory, dequeue_each), target = { row = 3, limit = 1 } },
  }
  local server = beside_beanstalkd(rows, memory)
  return { clock = measure.wall, rows = rows, close = closing { lmdb, memory, server } }
end

-- ---- many ----

local function make_delayed(queue, list)
  for i = 1, #list do list[i] = { data = list[i], delay = 3600 + i } end
  queue:enqueue_many(list)
end

local function make_done(queue, list)
  for i = 1, #list do list[i] = { data = list[i] } end
  queue:enqueue_many(list)
  queue:ack_many(queue:dequeue { n = #list })
end

local function make_dead(queue, list)
  for i = 1, #list do list[i] = { data = list[i] } end
  queue:enqueue_many(list)
  for _, one in ipairs(queue:dequeue { n = #list }) do queue:fail(one, "no", { retry = false }) end
end

local function with_many(make)
  local side = sides.open.larder { path = data.folder(), options = { keep_done = 30 * 86400 } }
  for first = 1, make and MANY or 0, 1000 do make(side.queue, jobs(math.min(1000, MANY - first + 1))) end
  return side
end

-- Clearing would remove the delayed ones; a run takes out all that was put in.
local function dequeue_beside(side)
  local contestant = dequeue_each(side)
  contestant.prepare = function(n) fill(side, n) end
  return contestant
end

local function count_all(side)
  return {
    run = function(n)
      for _ = 1, n do side.queue:counts() end
    end,
  }
end

local function many_row(title, side, make, target)
  return { title = title, contestants = { larder = make(side) }, target = target }
end

function queues.many()
  local stores = { with_many(), with_many(make_delayed), with_many(make_done), with_many(make_dead) }
  local rows = { many_row("dequeue and ack, nothing else in the queue", stores[1], dequeue_beside) }
  for i, what in ipairs { "delayed", "done", "dead" } do
    rows[i + 1] = many_row(("the same beside %d %s"):format(MANY, what), stores[i + 1], dequeue_beside, { row = 1, limit = 2 })
  end
  rows[5] = many_row("counts, nothing in the queue", stores[1], count_all)
  rows[6] = many_row(("counts of %d jobs"):format(MANY), stores[2], count_all, { row = 5, limit = 2 })
  return { clock = measure.cpu, rows = rows, close = closing(stores) }
end

return queues
