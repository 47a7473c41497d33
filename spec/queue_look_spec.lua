-- Looking at jobs: get, counts, each, stats.
local support = require "support"

local states = { "delayed", "ready", "running", "done", "dead", "cancelled" }

support.on_each_engine("looking at a queue", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { keep_done = 3600 })
  end)

  --- One job in each state, after `n` rounds `n` of them.
  local function one_of_each(n)
    local ids = {}
    for _, state in ipairs(states) do ids[state] = {} end
    for i = 1, n or 1 do
      now = now + 1
      ids.done[i] = q:enqueue(i)
      q:ack(q:dequeue())
      ids.dead[i] = q:enqueue(i)
      q:fail(q:dequeue(), "broken", { retry = false })
      ids.running[i] = q:enqueue(i)
      q:dequeue()
      ids.cancelled[i] = q:enqueue(i)
      q:cancel(ids.cancelled[i])
    end
    for i = 1, n or 1 do
      ids.delayed[i] = q:enqueue(i, { delay = 100 + i })
      ids.ready[i] = q:enqueue(i, { priority = i })
    end
    return ids
  end

  it("counts each state", function()
    one_of_each(3)
    local counts = q:counts()
    for _, state in ipairs(states) do assert.are.equal(3, counts[state], state) end
  end)

  it("shows a job as it is stored", function()
    local ids = one_of_each()
    for _, state in ipairs(states) do assert.are.equal(state, q:get(ids[state][1]).state) end
    local dead = q:get(ids.dead[1])
    support.same({ { attempt = 1, error = "broken", at = now } }, dead.errors)
    support.same({ now, 1, 20 }, { dead.finished_at, dead.attempt, dead.max_attempts })
    assert.are.equal(now + 30000, q:get(ids.running[1]).lease_until)
    assert.is_nil(q:get(ids.running[1]).token)
    assert.is_nil(q:get(ids.ready[1]).finished_at)
    assert.is_nil(q:get(123456789))
    now = now + 1000000
    assert.are.equal("delayed", q:get(ids.delayed[1]).state)
    assert.are.equal("running", q:get(ids.running[1]).state)
  end)

  it("goes through each state in its order", function()
    local ids = one_of_each(5)
    for _, state in ipairs(states) do
      local found = {}
      for job in q:each(state) do
        assert.are.equal(state, job.state)
        assert.are.equal(#found + 1, job.data)
        found[#found + 1] = job.id
      end
      support.same(ids[state], found)
    end
  end)

  for priority, new in pairs { [0] = -1, [5] = 0, [-1] = -2 } do
    it(("goes through many jobs, also while they come and go: %d before %d"):format(new, priority), function()
      local expected = {}
      for i = 1, 300 do expected[i] = q:enqueue(("x"):rep(i % 7 * 1000), { priority = priority }) end
      local found = {}
      for job in q:each "ready" do
        found[#found + 1] = job.id
        if job.id % 3 == 0 then q:delete(job.id) end
        q:enqueue("new", { priority = new })
        assert.is_true(#found <= 300, "the walk does not end")
      end
      support.same(expected, found)
    end)
  end

  it("goes on behind a job that was taken away meanwhile, in a write transaction, too", function()
    for i = 1, 10 do q:enqueue(i) end
    given.store:update(function(tx)
      local inside, found = tx:queue "mail", {}
      for job in inside:each "ready" do
        found[#found + 1] = job.data
        inside:delete(job)
      end
      support.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, found)
    end)
    assert.are.equal(0, q:counts().ready)
  end)

  it("keeps statistics", function()
    for i = 1, 10 do q:enqueue(i) end
    for i = 1, 10 do
      now = now + 10
      local job = q:dequeue()
      now = now + i
      if i == 1 then q:fail(job, "no", { delay = 1000 })
      elseif i == 2 then q:fail(job, "no", { retry = false })
      elseif i == 3 then q:release(job, 1000)
      else q:ack(job) end
    end
    local stats = q:stats()
    support.same({ 10, 10, 7, 2, 1, 1, 1 },
      { stats.enqueued, stats.claimed, stats.done, stats.failed, stats.retried, stats.dead, stats.released })
    assert.are.equal(10, stats.wait.count)
    assert.are.equal(145, stats.wait.max)
    assert.is_true(stats.run.count >= 7 and stats.run.max == 10 and stats.run.p50 >= 4 and stats.run.p50 <= 8)
    assert.is_true(stats.wait.p50 <= stats.wait.p90 and stats.wait.p90 <= stats.wait.p99 and stats.wait.p99 <= 170)
    assert.is_false(stats.paused)
  end)
end)
