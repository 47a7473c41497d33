-- Workers in processes of their own: they are told to stop, they are killed; each job is done once, none is lost.
local larder = require "larder"
local port = require "larder_port"

local jobs = tonumber(os.getenv "LARDER_QUEUE_JOBS") or 2000
local seed = tonumber(os.getenv "LARDER_SEED") or os.time()
local crew = 8

local directory

local function url(durability)
  return ("lmdb:%s/store?durability=%s"):format(directory, durability or "system")
end

-- Run the function in a child; returns its pid. A child that raises ends with 1 and says why.
local function child(work, ...)
  local pid = assert(port.fork())
  if pid ~= 0 then return pid end
  local ok, problem = pcall(work, ...)
  if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
  port._exit(ok and (tonumber(problem) or 0) or 1)
end

local function ended(pid)
  local _, how, code = port.waitpid(pid)
  return how, code
end

local function drain(pipe)
  local parts = {}
  repeat
    local part = port.read(pipe)
    parts[#parts + 1] = part
  until part == ""
  port.close(pipe)
  return table.concat(parts)
end

describe("a worker that gets SIGTERM", function()
  before_each(function() directory = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(directory) end)

  -- The worker writes to the pipe what it does; returns what it wrote until it has ended, and how.
  local function told_to_stop(work, signalled)
    local from, to = port.pipe()
    local pid = child(function()
      port.close(from)
      return work(function(text) port.write(to, text) end)
    end)
    port.close(to)
    local first = port.read(from)
    signalled(pid)
    local rest = drain(from)
    return first .. rest, ended(pid)
  end

  local function terminate(pid) port.kill(pid, 15) end

  it("finishes the job that it does, gives back the others, and ends", function()
    local text, how, code = told_to_stop(function(write)
      local store <close> = larder.open(url())
      local q = store:queue "mail"
      for i = 1, 3 do q:enqueue(i) end
      local done, why = q:work(function(job)
        write("begun " .. job.data .. "\n")
        while not job:stopping() do port.sleep(0.001) end
        write("finished " .. job.data .. "\n")
      end, { n = 2 })
      return done == 1 and why == "SIGTERM" and 7 or 8
    end, terminate)
    assert.are.same({ "begun 1\nfinished 1\n", "exited", 7 }, { text, how, code })
    local store <close> = larder.open(url())
    local counts = store:queue "mail":counts()
    assert.are.same({ 2, 0 }, { counts.ready, counts.running })
    assert.are.equal(1, store:queue "mail":dequeue().attempt)
  end)

  it("ends at once while it waits", function()
    local text, how, code = told_to_stop(function(write)
      local store <close> = larder.open(url())
      local q = store:queue "mail"
      local stops = 0
      local _, why = q:work(print, { poll = 600, stop = function()
        stops = stops + 1
        if stops == 2 then write "waiting" end
      end })
      return why == "SIGTERM" and 7 or 8
    end, terminate)
    assert.are.same({ "waiting", "exited", 7 }, { text, how, code })
  end)

  it("leaves SIGTERM as it was when it is over", function()
    local text, how, signal = told_to_stop(function(write)
      local store <close> = larder.open(url())
      store:queue "mail":work(print, { stop = function() return true end })
      write "over"
      port.sleep(60)
    end, terminate)
    assert.are.same({ "over", "killed", 15 }, { text, how, signal })
  end)

  it("dies of it like any program when it shall not look", function()
    local text, how, signal = told_to_stop(function(write)
      local store <close> = larder.open(url())
      store:queue "mail":enqueue "x"
      store:queue "mail":work(function()
        write "begun"
        port.sleep(60)
      end, { signals = false })
    end, terminate)
    assert.are.same({ "begun", "killed", 15 }, { text, how, signal })
  end)

  it("is one of several in its process, which all stop", function()
    local _, how, code = told_to_stop(function(write)
      local store <close> = larder.open { url = url(), sleep = function() coroutine.yield() end }
      local q, ends = store:queue "mail", 0
      local workers = {}
      for i = 1, 3 do
        workers[i] = coroutine.wrap(function()
          local _, why = q:work(print, { poll = 600 })
          ends = ends + (why == "SIGTERM" and 1 or 0)
          return "over"
        end)
        workers[i]()
      end
      write "waiting"
      for _, worker in ipairs(workers) do
        while worker() ~= "over" do port.sleep(0.001) end
      end
      return 7 + ends
    end, terminate)
    assert.are.same({ "exited", 10 }, { how, code })
  end)
end)

describe("workers that are killed", function()
  before_each(function() directory = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(directory) end)

  -- Each job leaves its mark in the transaction that acknowledges it, and a line in the log of its process before.
  local function work_forever(pipe)
    local store <close> = larder.open(url())
    local q = store:queue "mail"
    return q:work(function(job, tx)
      port.write(pipe, ("%d %d %d\n"):format(job.id, job.attempt, job.token))
      tx:map "marks":increment(job.id)
    end, { transactional = true, n = 3, poll = 0.05, signals = false })
  end

  local function hire(pipe)
    return child(work_forever, pipe)
  end

  local function left(q)
    local counts = q:counts()
    return counts.ready + counts.running + counts.delayed
  end

  -- The attempts of a job are at most those that were counted, and no two claims have one token.
  local function check_log(text)
    local tokens, lines = {}, 0
    for id, attempt, token in text:gmatch "(%d+) (%d+) (%d+)\n" do
      local claim = id .. " " .. attempt
      assert.is_true(tokens[claim] == nil or tokens[claim] == token, claim)
      tokens[claim] = token
      lines = lines + 1
    end
    return lines
  end

  it(("lose no job, and do each once: %d jobs, %d processes (LARDER_SEED=%d)"):format(jobs, crew, seed), function()
    math.randomseed(seed)
    local store <close> = larder.open(url())
    local q = store:queue("mail", { lease = 0.3, max_attempts = 1000 })
    local many = {}
    for i = 1, jobs do many[i] = { data = i } end
    local ids = q:enqueue_many(many)
    local from, to = port.pipe()
    local reader_from, reader_to = port.pipe()
    local reader = child(function()
      port.close(to)
      port.write(reader_to, tostring(check_log(drain(from))))
    end)
    local pids, kills = {}, 0
    for i = 1, crew do pids[i] = hire(to) end
    while left(q) > 0 do
      port.sleep(math.random() * 0.02)
      local i = math.random(crew)
      port.kill(pids[i], 9)
      kills = kills + (ended(pids[i]) == "killed" and 1 or 0)
      pids[i] = hire(to)
    end
    for i = 1, crew do
      port.kill(pids[i], 9)
      ended(pids[i])
    end
    port.close(to)
    assert.are.same({ "exited", 0 }, { ended(reader) })
    local lines = tonumber(port.read(reader_from))
    local marks = store:map "marks"
    assert.are.equal(jobs, marks:count())
    for _, id in ipairs(ids) do assert.are.equal(1, marks:get(id)) end
    assert.are.equal(jobs, q:stats().done)
    assert.is_true(lines >= jobs and kills > 0, ("%d lines, %d kills"):format(lines, kills))
  end)
end)
