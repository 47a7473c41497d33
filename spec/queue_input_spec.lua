-- Bad input: an error that names what and where, and nothing has changed.
local support = require "support"

local nan, infinite = 0 / 0, 1 / 0
local cycle = {}
cycle.self = cycle
local too_deep = {}
for _ = 1, 128 do too_deep = { too_deep } end

support.on_each_engine("bad input to a queue", function(given)
  local q, id, job

  before_each(function()
    q = given.store:queue("mail", { keep_done = 60 })
    q:enqueue("runs", { key = "k" })
    job = q:dequeue()
    id = q:enqueue "waits"
    q:schedule("tick", { every = 3600 }, 1)
  end)

  local function picture()
    local jobs = {}
    for state in pairs(q:counts()) do
      for one in q:each(state) do jobs[#jobs + 1] = one end
    end
    table.sort(jobs, function(a, b) return a.id < b.id end)
    return { jobs, q:counts(), q:schedules(), q:stats() }
  end

  local function refused(codes, texts, method, ...)
    local before = picture()
    local raised = support.raises(codes, texts, q[method], q, ...)
    assert.are.equal("queue:" .. method, raised.op)
    support.same(before, picture())
  end

  local function each(method, texts, bad, ...)
    for i = 1, bad.n or #bad do refused("INVALID", texts, method, bad[i], ...) end
  end

  it("is data that cannot be stored", function()
    each("enqueue", {}, { print, cycle, too_deep, coroutine.create(print), { f = print }, io.stdout })
    refused("INVALID", "data", "enqueue")
    refused("INVALID", "data", "enqueue", nil, { priority = 1 })
    refused("INVALID", "data", "schedule", "s", { every = 1 }, nil)
    refused("INVALID", "a.b[2]", "enqueue", { a = { b = { 1, print } } })
  end)

  local durations = { -1, -0.001, nan, infinite, -infinite, 1e300, "1", true, {} }

  it("is a duration that is none", function()
    for _, bad in ipairs(durations) do
      for _, name in ipairs { "delay", "timeout" } do refused("INVALID", name, "enqueue", 1, { [name] = bad }) end
      refused("INVALID", "within", "enqueue", 1, { key = "w", within = bad })
      refused("INVALID", "lease", "dequeue", { lease = bad })
      refused("INVALID", "lease", "next", job, { lease = bad })
      refused("INVALID", "seconds", "extend", job, bad)
      refused("INVALID", "delay", "release", job, bad)
      refused("INVALID", "delay", "fail", job, "no", { delay = bad })
      refused("INVALID", "older_than", "prune", { older_than = bad })
      refused("INVALID", "every", "schedule", "s", { every = bad }, 1)
    end
    refused("INVALID", "lease", "dequeue", { lease = 0 })
    refused("INVALID", "every", "schedule", "s", { every = 0 }, 1)
  end)

  it("is a number that is none, or absurd", function()
    for _, bad in ipairs { nan, infinite, 1.5, 2 ^ 63, "1", true, {} } do
      for _, name in ipairs { "priority", "max_attempts", "run_at" } do refused("INVALID", name, "enqueue", 1, { [name] = bad }) end
      refused("INVALID", "option n", "dequeue", { n = bad })
    end
    for _, bad in ipairs { 0, -1 } do
      refused("INVALID", "max_attempts", "enqueue", 1, { max_attempts = bad })
      refused("INVALID", "option n", "dequeue", { n = bad })
    end
    refused("INVALID", "run_at", "enqueue", 1, { run_at = -1 })
    refused("INVALID", "run_at", "enqueue", 1, { run_at = math.maxinteger })
    refused("INVALID", {}, "enqueue", 1, { run_at = 1, delay = 1 })
  end)

  it("is a key or tags that are none", function()
    each("enqueue", {}, {})
    for _, bad in ipairs { "", 1, true, {}, ("k"):rep(1024) } do
      local ok, problem = pcall(q.enqueue, q, 1, { key = bad })
      assert.is_false(ok)
      assert.is_true(problem.code == "INVALID" or problem.code == "TOOBIG", problem.code)
    end
    for _, bad in ipairs { "a", 1, { 1 }, { a = "b" } } do refused("INVALID", "tags", "enqueue", 1, { tags = bad }) end
    refused("INVALID", "within", "enqueue", 1, { within = 5 })
  end)

  it("is what is no job", function()
    for _, method in ipairs { "ack", "fail", "extend", "release", "next", "get", "cancel", "retry", "delete" } do
      refused("INVALID", "job", method)
      each(method, "job", { "1", 1.5, true, print, {}, { id = "1", token = 1 }, { id = 1.5, token = 1 } })
    end
    for _, method in ipairs { "ack", "fail", "extend", "release", "next" } do
      each(method, "token", { { id = id }, { id = id, token = "1" }, { id = id, token = 1.5 } })
    end
    refused("INVALID", "list", "ack_many", 5)
    refused("INVALID", "job", "ack_many", { job, "x" })
  end)

  it("is an option that is not known, or no table", function()
    local calls = {
      { "enqueue", 1, { dely = 1 } }, { "dequeue", { leas = 1 } }, { "next", job, { m = 1 } }, { "fail", job, "no", { retr = 1 } },
      { "prune", { stat = 1 } }, { "schedule", "s", { evry = 1 }, 1 }, { "schedule", "s", { every = 1 }, 1, { prio = 1 } },
      { "enqueue_many", { { data = 1, dela = 1 } } }, { "enqueue", 1, 5 }, { "enqueue", 1, "x" }, { "dequeue", 5 }, { "prune", "dead" },
      { "fail", job, "no", true }, { "enqueue", 1, { 1, 2 } }, { "enqueue_many", 5 }, { "enqueue_many", { a = 1 } }, { "enqueue_many" },
      { "fail", job, "no", { retry = 1 } }, { "prune", { state = 1 } }, { "prune", { state = "daed" } },
      { "schedule", "s", { every = 1 }, 1, { delay = 1 } }, { "schedule", "s", { every = 1 }, 1, { run_at = 1 } },
      { "enqueue", 1, { [{}] = 1 } }, { "enqueue", 1, { delay = print } },
    }
    for _, call in ipairs(calls) do refused("INVALID", {}, table.unpack(call)) end
  end)

  it("is a schedule that is none", function()
    local bad = {
      { "60 * * * *", "minute" }, { "* 24 * * *", "hour" }, { "* * 0 * *", "day of month" }, { "* * 32 * *", "day of month" },
      { "* * * 13 *", "month" }, { "* * * * 8", "day of week" }, { "* * * * mo", "day of week" }, { "*/0 * * * *", "minute" },
      { "5-1 * * * *", "minute" }, { "* * * *", "" }, { "* * * * * *", "" }, { "", "" }, { "@dayly", "" }, { "a * * * *", "minute" },
      { "* * 31 feb *", "day of month" }, { "1,,2 * * * *", "minute" }, { "1- * * * *", "minute" },
    }
    for _, one in ipairs(bad) do
      refused("INVALID", one[2], "schedule", "s", one[1], 1)
      refused("INVALID", one[2], "schedule", "s", { cron = one[1] }, 1)
    end
    for _, when in ipairs { 5, true, {}, { every = 1, cron = "* * * * *" }, { cron = 1 }, { cron = "* * * * *", zone = "cet" } } do
      refused("INVALID", {}, "schedule", "s", when, 1)
    end
    refused("INVALID", "when", "schedule", "s")
    refused("INVALID", "name", "schedule", 1, { every = 1 }, 1)
    refused("INVALID", {}, "schedule", "", { every = 1 }, 1)
    refused("INVALID", "name", "unschedule")
  end)

  it("is a state that is none", function()
    refused("INVALID", { "reddy", "ready" }, "each", "reddy")
    refused("INVALID", "state", "each")
    refused("INVALID", "state", "each", 5)
  end)

  it("is a worker without a handler, or options that are none", function()
    refused("INVALID", "function", "work")
    refused("INVALID", "function", "work", "x")
    refused("INVALID", "options", "work", print, 5)
    local bad = {
      n = { 0, 1.5, "1" }, poll = { 0, -1, nan, infinite, "1" }, lease = { 0, nan, {} }, stop = { true }, on_error = { 1 },
      transactional = { 1 }, signals = { "TERM" }, handler = { print }, queue = { 1 },
    }
    for name, values in pairs(bad) do
      for _, value in ipairs(values) do refused("INVALID", name, "work", print, { [name] = value }) end
    end
    refused("INVALID", {}, "work", print, { print })
  end)

  it("is a method without its queue", function()
    for _, method in ipairs { "enqueue", "dequeue", "ack", "get", "each", "counts", "schedule", "pause", "drain", "work" } do
      local ok, raised = pcall(q[method], {}, print)
      assert.is_false(ok)
      assert.are.equal("INVALID", raised.code)
    end
  end)
end)

support.on_each_engine("a bad declaration of a queue", function(given)
  it("is INVALID, and leaves none", function()
    local bad = {
      { lease = 0 }, { lease = -1 }, { lease = nan }, { lease = "x" }, { max_attempts = 0 }, { max_attempts = 1.5 }, { backoff = "soon" },
      { backoff = -1 }, { backoff = nan },
      { keep_done = -1 }, { keep_done = { count = -1 } }, { keep_done = { n = 1 } },
      { keep_dead = infinite }, { limit = 5 }, { limit = { concurrency = 0 } }, { limit = { rate = -1 } },
      { limit = { rate = 1, per = 0 } },
      { limit = { by = "" , rate = 1 } }, { limit = { by = 5, rate = 1 } }, { limit = { rats = 1 } },
      { leese = 1 }, { replace = 1 }, { sleep = 1 }, { 1 }, { [print] = 1 }, { lease = print },
    }
    for _, options in ipairs(bad) do
      local raised = support.raises("INVALID", {}, given.store.queue, given.store, "mail", options)
      assert.are.equal("store:queue", raised.op)
    end
    support.raises("INVALID", "lease", given.store.queue, given.store, "mail", { leese = 1 })
    support.raises("INVALID", "rats", given.store.queue, given.store, "mail", { limit = { rats = 1 } })
    support.none(given.store:queues())
  end)

  it("is a name that is none", function()
    for _, name in ipairs { 1, true, {}, print } do support.raises("INVALID", "name", given.store.queue, given.store, name) end
    support.raises("INVALID", "name", given.store.queue, given.store)
    support.raises("INVALID", {}, given.store.queue, given.store, "")
    support.raises("TOOBIG", {}, given.store.queue, given.store, ("n"):rep(1024))
  end)
end)
