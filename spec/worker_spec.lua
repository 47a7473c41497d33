-- The worker loop. What another process has to do with it: promises/workers_spec.lua.
local support = require "support"

support.on_each_engine("a worker", function(given)
  local q

  before_each(function() q = given.store:queue("mail", { max_attempts = 3, backoff = 60, lease = 30 }) end)

  local function fill(count)
    for i = 1, count do q:enqueue(i) end
  end

  --- Options with a stop after so many calls of the handler, and a handler that counts its calls.
  local function until_calls(count, handler, options)
    local calls = 0
    options = options or {}
    options.stop = function() return calls >= count end
    options.poll = options.poll or 0.01
    return function(...)
      calls = calls + 1
      return handler(...)
    end, options
  end

  it("does the jobs in order, and acknowledges them", function()
    fill(5)
    local seen = {}
    support.same({ 5, "stop" }, { q:work(until_calls(5, function(job) seen[#seen + 1] = job.data end)) })
    support.same({ 1, 2, 3, 4, 5 }, seen)
    for state, count in pairs(q:counts()) do assert.are.equal(0, count, state) end
    assert.are.equal(5, q:stats().done)
  end)

  it("takes no new job once it is told to stop", function()
    fill(5)
    assert.are.equal(2, (q:work(until_calls(2, function() end))))
    support.same({ 3, 0 }, { q:counts().ready, q:counts().running })
    assert.are.equal(0, (q:work(print, { stop = function() return true end })))
    assert.are.equal(3, q:counts().ready)
  end)

  it("gives back what it has claimed and not begun", function()
    fill(5)
    assert.are.equal(2, (q:work(until_calls(2, function() end, { n = 4 }))))
    support.same({ 3, 0 }, { q:counts().ready, q:counts().running })
    local job = q:dequeue()
    support.same({ 3, 1 }, { job.data, job.attempt })
  end)

  it("claims several at once, and does them in order", function()
    fill(10)
    local seen = {}
    assert.are.equal(10, (q:work(until_calls(10, function(job) seen[#seen + 1] = job.data end, { n = 4 }))))
    support.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, seen)
  end)

  it("fails a job whose handler raises, with its traceback", function()
    local id = q:enqueue "x"
    local told = {}
    local function broken_step() error "the disk is on fire" end
    local done = q:work(until_calls(1, function() broken_step() end, { on_error = function(...) told = { ... } end }))
    assert.are.equal(0, done)
    local job = q:get(id)
    assert.are.equal("delayed", job.state)
    for _, text in ipairs { "the disk is on fire", "stack traceback", "broken_step", "worker_spec.lua" } do
      assert.truthy(job.errors[1].error:find(text, 1, true), text)
      assert.truthy(told[1]:find(text, 1, true), text)
    end
    assert.are.equal(id, told[2].id)
  end)

  it("shows error objects, and errors that are no text", function()
    local causes = {
      { function() given.store:map "m":set(nil, 1) end, "map:set" },
      { function() error { code = 7 } end, "table" },
      { function() error(nil) end, "nil" },
      { function() error(setmetatable({}, { __tostring = function() return "shown" end })) end, "shown" },
    }
    for _, cause in ipairs(causes) do
      local id = q:enqueue "x"
      q:work(until_calls(1, cause[1]))
      assert.truthy(q:get(id).errors[1].error:find(cause[2], 1, true))
    end
  end)

  it("goes by what the handler returns", function()
    local cases = {
      { { n = 0 }, nil }, { { true, n = 1 }, nil }, { { "text", n = 1 }, nil }, { { nil, "x", n = 2 }, nil },
      { { false, n = 1 }, "delayed", "returned false" }, { { false, "no luck", n = 2 }, "delayed", "no luck" },
      { { false, "never", { retry = false }, n = 3 }, "dead", "never" }, { { false, 42, { delay = 0 }, n = 3 }, "ready", "42" },
    }
    for _, case in ipairs(cases) do
      local id = q:enqueue "x"
      q:work(until_calls(1, function() return table.unpack(case[1], 1, case[1].n) end))
      local job = q:get(id)
      assert.are.equal(case[2], job and job.state)
      if job then
        assert.truthy(job.errors[1].error:find(case[3], 1, true))
        q:delete(id)
      end
    end
  end)

  it("does the handler's work and the acknowledgement in one transaction", function()
    fill(3)
    local done = q:work(until_calls(3, function(job, tx)
      tx:map "done":set(job.data, true)
      assert.are.equal(1, tx:queue "mail":counts().running)
      if job.data == 2 then error "undo" end
      if job.data == 3 then return false, "undo too" end
    end, { transactional = true }))
    assert.are.equal(1, done)
    assert.are.equal(1, given.store:map "done":count())
    assert.is_true(given.store:map "done":get(1))
    support.same({ 2, 0, 0 }, { q:counts().delayed, q:counts().running, q:counts().ready })
  end)

  it("undoes the handler's work when the job was lost or cancelled meanwhile", function()
    fill(2)
    local other = given.store:queue "mail"
    local done = q:work(until_calls(2, function(job, tx)
      tx:map "done":set(job.data, true)
      if job.data == 1 then tx:queue "mail":cancel(job) else tx:queue "mail":delete(job) end
    end, { transactional = true }))
    assert.are.equal(0, done)
    assert.are.equal(0, given.store:map "done":count())
    assert.are.equal(0, other:counts().ready)
  end)

  it("tells the handler that the job is lost or cancelled", function()
    fill(2)
    local answers = {}
    local done = q:work(until_calls(2, function(job)
      if job.data == 1 then q:cancel(job) else q:delete(job) end
      answers[#answers + 1] = { job:extend(5) }
      answers[#answers + 1] = { job:extend() }
    end))
    support.same({ { false, "cancelled" }, { false, "cancelled" }, { false, "lost" }, { false, "lost" } }, answers)
    assert.are.equal(0, done)
  end)

  it("may release a job in the middle, and knows when to", function()
    local id = q:enqueue "x"
    local stops = {}
    local stopping = false
    q:work(function(job)
      stops[#stops + 1] = job:stopping()
      stopping = true
      stops[#stops + 1] = job:stopping()
      assert.is_true(job:release(30))
    end, { stop = function() return stopping end })
    support.same({ false, true }, stops)
    support.same({ "delayed", 0 }, { q:get(id).state, q:get(id).attempt })
    support.none(q:get(id).errors)
  end)

  it("does not hold a job when the handler is over", function()
    q:enqueue "x"
    local kept
    q:work(until_calls(1, function(job) kept = job end))
    for _, method in ipairs { "extend", "release", "stopping" } do
      support.raises("INVALID", "does not hold", kept[method], kept)
    end
  end)

  it("waits for jobs, and sleeps as it is told", function()
    local seen = {}
    local turns = 0
    local queue
    queue = given.store:queue("mail", { sleep = function(seconds)
      turns = turns + 1
      assert.is_true(seconds <= 5)
      if turns == 3 then queue:enqueue "late" end
    end })
    queue:work(until_calls(1, function(job) seen[1] = job.data end, { poll = 5 }))
    support.same({ 3, "late" }, { turns, seen[1] })
  end)

  it("runs in coroutines beside others", function()
    local order = {}
    local queue = given.store:queue("mail", { sleep = function() coroutine.yield() end })
    local stopping = false
    local function worker(name)
      return coroutine.create(function()
        return queue:work(function(job)
          coroutine.yield()
          order[#order + 1] = name .. job.data
        end, { stop = function() return stopping end })
      end)
    end
    local a, b = worker "a", worker "b"
    fill(4)
    for _ = 1, 8 do
      assert(coroutine.resume(a))
      assert(coroutine.resume(b))
    end
    support.same({ "a1", "b2", "a3", "b4" }, order)
    stopping = true
    for _, one in ipairs { a, b } do
      while coroutine.status(one) ~= "dead" do assert(coroutine.resume(one)) end
    end
  end)

  it("passes on what stop and on_error raise, and gives back its jobs", function()
    fill(3)
    local ok, problem = pcall(q.work, q, print, { stop = function() error("stop!", 0) end })
    support.same({ false, "stop!" }, { ok, problem })
    ok, problem = pcall(q.work, q, function() error "x" end, { n = 3, on_error = function() error("told", 0) end })
    support.same({ false, "told" }, { ok, problem })
    support.same({ 2, 1, 0 }, { q:counts().ready, q:counts().delayed, q:counts().running })
  end)

  it("ends with the error when the store fails for good", function()
    fill(1)
    support.raises("CLOSED", "", q.work, q, function() given.store:close() end)
  end)

  it("leaves a job to its lease when its coroutine is given up", function()
    fill(1)
    local co = coroutine.create(function() q:work(function() coroutine.yield() end) end)
    coroutine.resume(co)
    assert.are.equal(1, q:counts().running)
    assert.is_true(coroutine.close(co))
    assert.are.equal(1, q:counts().ready)
  end)
end)
