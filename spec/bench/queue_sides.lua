-- queue_sides.lua -- the same queue: Larder's, a table of SQLite with an index in the order of claims; and beanstalkd, in memory.
-- `open[name](place)`, with place = { path, durable, memory }, gives { enqueue, enqueue_many, dequeue, dequeue_many, ack, ack_many, next,
-- clear, close }, all plain functions; beanstalkd has no batches.
local folders = require "spec.bench.data"
local larder = require "larder"
local raw = require "larder_bench_raw"

local queue_sides = { open = {}, order = {} }

local function optional(module)
  local found, result = pcall(require, module)
  return found and result
end

-- ---- Larder ----

local function open_store(place)
  if place.memory then return larder.open "memory:" end
  return larder.open { engine = "lmdb", path = place.path, durability = place.durable and "commit" or "none" }
end

function queue_sides.open.larder(place)
  local store = open_store(place)
  local q = store:queue("bench", place.options)
  return {
    queue = q,
    enqueue = function(data) q:enqueue(data) end,
    enqueue_many = function(list)
      local jobs = {}
      for i = 1, #list do jobs[i] = { data = list[i] } end
      q:enqueue_many(jobs)
    end,
    dequeue = function() return q:dequeue() end,
    dequeue_many = function(n) return q:dequeue { n = n } end,
    ack = function(job) assert(q:ack(job)) end,
    ack_many = function(jobs) assert(q:ack_many(jobs) == #jobs) end,
    next = function(job) return q:next(job) end,
    clear = function() q:drain() end,
    close = function() store:close() end,
  }
end

-- ---- SQLite through lua-sql-sqlite3, with lua-cjson ----

local SELECT = "SELECT id, attempt, data FROM jobs WHERE state = 0 AND run_at <= %d ORDER BY priority, run_at, id LIMIT %d"
local CLAIM = "UPDATE jobs SET state = 1, attempt = attempt + 1, token = %d, lease_until = %d WHERE id = %s"

local function connect(driver, place)
  local con = assert(driver:connect(place.path .. "/queue.db"))
  assert(con:execute "PRAGMA journal_mode=WAL"):close()
  assert(con:execute("PRAGMA synchronous=" .. (place.durable and "FULL" or "OFF")))
  assert(con:execute [[CREATE TABLE jobs(id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL, priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL, attempt INTEGER NOT NULL, token INTEGER, lease_until INTEGER, data TEXT NOT NULL)]])
  assert(con:execute "CREATE INDEX ready ON jobs(state, priority, run_at, id)")
  return con
end

local function statements(con, cjson)
  local function enqueue(data)
    assert(con:execute(("INSERT INTO jobs(state, priority, run_at, attempt, data) VALUES(0, 0, %d, 0, '%s')"):format(
      os.time() * 1000, con:escape(cjson.encode(data)))))
  end
  local function claim(n)
    local now, jobs = os.time() * 1000, {}
    local cursor = assert(con:execute(SELECT:format(now, n)))
    for id, attempt, text in function() return cursor:fetch() end do
      jobs[#jobs + 1] = { id = id, attempt = attempt + 1, token = math.random(0), data = cjson.decode(text) }
    end
    for _, job in ipairs(jobs) do assert(con:execute(CLAIM:format(job.token, now + 30000, job.id))) end
    return jobs
  end
  local function ack(job)
    local count = con:execute(("DELETE FROM jobs WHERE id = %s AND token = %d"):format(job.id, job.token))
    assert(tonumber(count) == 1)
  end
  return enqueue, claim, ack
end

local function in_transaction(con, work)
  return function(...)
    assert(con:execute "BEGIN IMMEDIATE")
    local result = work(...)
    assert(con:execute "COMMIT")
    return result
  end
end

local function of_each(one)
  return function(list)
    for i = 1, #list do one(list[i]) end
  end
end

local cjson, luasql = optional "cjson", optional "luasql.sqlite3"

if cjson and luasql then
  function queue_sides.open.sqlite(place)
    local driver = luasql.sqlite3()
    local con = connect(driver, place)
    local enqueue, claim, ack = statements(con, cjson)
    return {
      enqueue = enqueue,
      enqueue_many = in_transaction(con, of_each(enqueue)),
      dequeue = in_transaction(con, function() return claim(1)[1] end),
      dequeue_many = in_transaction(con, claim),
      ack = ack,
      ack_many = in_transaction(con, of_each(ack)),
      next = in_transaction(con, function(job)
        ack(job)
        return claim(1)[1]
      end),
      clear = function() con:execute "DELETE FROM jobs" end,
      close = function()
        con:close()
        driver:close()
      end,
    }
  end
end

-- ---- beanstalkd, through luasocket, with lua-cjson ----

local socket = optional "socket"

local function connect_to_server(port)
  for _ = 1, 100 do
    local connection = socket.connect("127.0.0.1", port)
    if connection then
      connection:setoption("tcp-nodelay", true)
      return connection
    end
    socket.sleep(0.02)
  end
  error "beanstalkd does not answer"
end

local function free_port()
  local probe = assert(socket.bind("127.0.0.1", 0))
  local _, port = probe:getsockname()
  probe:close()
  return port
end

local function answer(connection, expected)
  local line = assert(connection:receive "*l")
  return assert(line:match("^" .. expected), line)
end

--- nil where it cannot be run. It ends with this process, or at close.
function queue_sides.open_beanstalkd()
  if not (cjson and socket and os.execute "command -v beanstalkd >/dev/null 2>&1") then return nil end
  local port = free_port()
  local server = assert(io.popen(("beanstalkd -l 127.0.0.1 -p %d & echo $!"):format(port)))
  local pid = server:read "n"
  local connection = connect_to_server(port)
  local function enqueue(data)
    local text = cjson.encode(data)
    connection:send(("put 0 0 30 %d\r\n%s\r\n"):format(#text, text))
    answer(connection, "INSERTED")
  end
  local function dequeue()
    connection:send "reserve-with-timeout 0\r\n"
    local id, size = assert(connection:receive "*l"):match "^RESERVED (%d+) (%d+)"
    if not id then return nil end
    local text = assert(connection:receive(tonumber(size) + 2))
    return { id = id, data = cjson.decode(text:sub(1, -3)) }
  end
  local function ack(job)
    connection:send(("delete %s\r\n"):format(job.id))
    answer(connection, "DELETED")
  end
  return {
    enqueue = enqueue, dequeue = dequeue, ack = ack,
    enqueue_many = of_each(enqueue),
    clear = function()
      for job in dequeue do ack(job) end
    end,
    close = function()
      connection:close()
      os.execute("kill " .. pid)
      server:close()
    end,
  }
end

-- ---- liblmdb ----

-- The rows of n jobs themselves, without what leads to them.
local function job_rows(fill, n)
  local path, rows = folders.folder(), {}
  local side = queue_sides.open.larder { path = path }
  fill(side, n)
  side.close()
  local all = raw.dump(path)
  for i = 1, #all, 2 do
    if #all[i + 1] > 60 and #all[i + 1] < 300 then
      rows[#rows + 1] = all[i]
      rows[#rows + 1] = all[i + 1]
    end
  end
  assert(#rows >= 2 * n)
  return rows
end

--- Puts of as many rows, as large as that of a job, a commit each, into an empty store, as the jobs go into an empty queue.
---@param fill fun(side: table, n: integer)
---@param durable boolean
---@return table contestant, table env with `close`
function queue_sides.raw_puts(fill, durable)
  local env, list
  return {
    prepare = function(n)
      if env then env:close() end
      env, list = raw.open(folders.folder(), durable), raw.rows(job_rows(fill, n))
    end,
    run = function(n) env:put(list, n, 1) end,
  }, { close = function() env:close() end }
end

for _, name in ipairs { "larder", "sqlite" } do
  if queue_sides.open[name] then table.insert(queue_sides.order, name) end
end

return queue_sides
