-- Attempts that fail: what follows them, when, and what is kept of them.
local support = require "support"

support.on_each_engine("an attempt", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { lease = 10, max_attempts = 3, backoff = 5 })
  end)

  it("that fails is followed by another after the backoff", function()
    local id = q:enqueue "x"
    support.same({ true, "delayed" }, { q:fail(q:dequeue(), "first") })
    local job = q:get(id)
    support.same({ "delayed", 1, now + 5000 }, { job.state, job.attempt, job.run_at })
    support.same({ { attempt = 1, error = "first", at = now } }, job.errors)
    now = now + 4999
    assert.is_nil(q:dequeue())
    now = now + 1
    assert.are.equal(2, q:dequeue().attempt)
  end)

  it("that was the last leaves a dead job with every error", function()
    local id = q:enqueue "x"
    for attempt = 1, 3 do
      local job = q:dequeue()
      assert.are.equal(attempt, job.attempt)
      support.same({ true, attempt < 3 and "delayed" or "dead" }, { q:fail(job, "error " .. attempt) })
      now = now + 5000
    end
    assert.is_nil(q:dequeue())
    local dead = q:get(id)
    assert.are.equal("dead", dead.state)
    assert.are.equal(now - 5000, dead.finished_at)
    for attempt = 1, 3 do assert.are.equal("error " .. attempt, dead.errors[attempt].error) end
  end)

  it("that says so is the last", function()
    q:enqueue "x"
    support.same({ true, "dead" }, { q:fail(q:dequeue(), "no", { retry = false }) })
  end)

  it("may say when the next one is", function()
    local id = q:enqueue "x"
    q:fail(q:dequeue(), "no", { delay = 1.5 })
    assert.are.equal(now + 1500, q:get(id).run_at)
    now = now + 1500
    support.same({ true, "ready" }, { q:fail(q:dequeue(), "no", { delay = 0 }) })
    assert.are.equal(3, q:dequeue().attempt)
  end)

  it("that is released does not count", function()
    local id = q:enqueue "x"
    for _ = 1, 5 do
      local job = q:dequeue()
      assert.are.equal(1, job.attempt)
      assert.is_true((q:release(job)))
    end
    assert.is_true((q:release(q:dequeue(), 2)))
    support.same({ "delayed", 0, now + 2000 }, { q:get(id).state, q:get(id).attempt, q:get(id).run_at })
    support.none(q:get(id).errors)
  end)

  it("whose lease ends counts, and leaves an error", function()
    local id = q:enqueue "x"
    for attempt = 1, 3 do
      assert.are.equal(attempt, q:dequeue().attempt)
      now = now + 10000
    end
    assert.are.equal("running", q:get(id).state)
    assert.is_nil(q:dequeue())
    local dead = q:get(id)
    support.same({ "dead", 3, 3 }, { dead.state, dead.attempt, #dead.errors })
  end)

  it("of an exhausted job at the head does not hold up the next one", function()
    for i = 1, 3 do q:enqueue(i, { max_attempts = 1, priority = i }) end
    q:enqueue("good", { priority = 9 })
    q:dequeue { n = 3 }
    now = now + 10000
    assert.are.equal("good", q:dequeue().data)
    assert.are.equal(3, q:counts().dead)
  end)

  it("keeps its error within bounds, and the last errors", function()
    q = given.store:queue("other", { max_attempts = 50, backoff = 0 })
    local id = q:enqueue "x"
    for attempt = 1, 30 do q:fail(q:dequeue(), ("e%d "):format(attempt):rep(5000)) end
    local errors = q:get(id).errors
    assert.are.equal(30, errors[#errors].attempt)
    assert.is_true(#errors >= 5 and #errors < 30)
    for _, one in ipairs(errors) do
      assert.is_true(#one.error <= 2000)
      assert.are.equal(("e%d "):format(one.attempt), one.error:match "^e%d+ ")
    end
  end)

  it("may fail with any value that can be shown", function()
    local object = setmetatable({}, { __tostring = function() return "shown" end })
    local cases = { { nil, "" }, { "text", "text" }, { 42, "42" }, { object, "shown" } }
    for _, case in ipairs(cases) do
      local id = q:enqueue "x"
      q:fail(q:dequeue(), case[1], { retry = false })
      assert.are.equal(case[2], q:get(id).errors[1].error)
    end
  end)
end)

support.on_each_engine("the backoff of a queue", function(given)
  local now, count

  before_each(function()
    now, count = 1700000000000, 0
    given.store:close()
    given.store = given.open { clock = function() return now end }
  end)

  --- The waits, in seconds, after the first failures of a job.
  local function waits(backoff, failures)
    count = count + 1
    local q = given.store:queue("q" .. count, { max_attempts = 100, backoff = backoff })
    local id, all = q:enqueue "x", {}
    for i = 1, failures do
      q:fail(q:dequeue(), "no")
      all[i] = (q:get(id).run_at - now) / 1000
      now = q:get(id).run_at
    end
    return all
  end

  it("is n^4 seconds, 10 % more or less, and a day at most", function()
    for n, seconds in ipairs(waits(nil, 20)) do
      local expected = math.min(n ^ 4, 86400)
      assert.is_true(seconds >= expected * 0.899 and seconds <= math.min(expected * 1.101, 86400), n .. ": " .. seconds)
    end
  end)

  it("may be exponential or fixed", function()
    support.same({ 1.0, 2.0, 4.0, 8.0, 16.0 }, waits("exponential", 5))
    assert.are.equal(86400.0, waits("exponential", 19)[19])
    support.same({ 2.5, 2.5 }, waits(2.5, 2))
  end)

  it("may be a function of the attempt, a day at most", function()
    support.same({ 0.5, 1.0, 1.5 }, waits(function(n) return n / 2 end, 3))
    assert.are.equal(86400.0, waits(function() return 1e9 end, 1)[1])
    local asked = {}
    waits(function(n)
      asked[#asked + 1] = n
      return 0
    end, 3)
    support.same({ 1, 2, 3 }, asked)
  end)

  it("is the handle's when it is a function, and by id, too", function()
    local q = given.store:queue("f", { backoff = function(n) return n * 100 end })
    local id = q:enqueue "x"
    q:dequeue()
    q:fail(id, "no")
    assert.are.equal(now + 100000, q:get(id).run_at)
    assert.are.equal("larder.queue", getmetatable(given.store:queue("f", { lease = 30 })))
  end)

  it("that is a function may use the store", function()
    local q
    q = given.store:queue("f", { backoff = function(n)
      given.store:map "seen":set("attempt", n)
      collectgarbage()
      return 1
    end })
    q:enqueue "x"
    q:fail(q:dequeue(), "no")
    assert.are.equal(1, given.store:map "seen":get "attempt")
  end)

  it("that gives no seconds is INVALID, and changes nothing", function()
    for _, bad in ipairs { 0 / 0, -1, 1 / 0, "soon", false, {} } do
      count = count + 1
      local q = given.store:queue("bad" .. count, { backoff = function() return bad end })
      local id = q:enqueue "x"
      local job = q:dequeue()
      support.raises("INVALID", "backoff", q.fail, q, job, "no")
      assert.are.equal("running", q:get(id).state)
      assert.is_true((q:fail(job, "no", { delay = 1 })))
    end
  end)

  it("that raises passes its error on, and the job runs on", function()
    local q = given.store:queue("r", { backoff = function() error("mine", 0) end })
    q:enqueue "x"
    local job = q:dequeue()
    local ok, problem = pcall(q.fail, q, job, "no")
    support.same({ false, "mine" }, { ok, problem })
    assert.is_true((q:ack(job)))
  end)
end)
