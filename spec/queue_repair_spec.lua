-- What an operator does: cancel, retry, delete, prune, pause, drain; and what is kept of finished jobs.
local support = require "support"

support.on_each_engine("repairing a queue", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { keep_done = 3600, max_attempts = 1 })
  end)

  local function dead_job(data)
    local id = q:enqueue(data or "x")
    q:fail(q:dequeue(), "broken")
    return id
  end

  it("cancels what waits, once, and never what is finished", function()
    local delayed, ready = q:enqueue("x", { delay = 5 }), q:enqueue "y"
    for _, id in ipairs { delayed, ready } do
      assert.is_true(q:cancel(id))
      assert.are.equal("cancelled", q:get(id).state)
      assert.is_false(q:cancel(id))
    end
    now = now + 5000
    assert.is_nil(q:dequeue())
    assert.is_false(q:cancel(dead_job()))
    assert.is_false(q:cancel(99999))
  end)

  it("tries dead jobs again with all attempts", function()
    local id = dead_job()
    assert.is_true(q:retry(id))
    assert.is_false(q:retry(id))
    local job = q:dequeue()
    support.same({ id, 1 }, { job.id, job.attempt })
    assert.is_false(q:retry(id))
    q:ack(job)
    assert.is_false(q:retry(id))
    dead_job()
    dead_job()
    assert.are.equal(2, q:retry_all())
    support.same({ 2, 0 }, { q:counts().ready, q:counts().dead })
  end)

  it("deletes a job in any state, and its holder has lost it", function()
    local ids = { dead_job(), (q:enqueue("x", { delay = 5 })), (q:enqueue "y") }
    local job = q:dequeue()
    ids[4] = q:enqueue "z"
    for _, id in ipairs(ids) do
      assert.is_true(q:delete(id))
      assert.is_nil(q:get(id))
      assert.is_false(q:delete(id))
    end
    support.same({ false, "lost" }, { q:ack(job) })
    for state, count in pairs(q:counts()) do assert.are.equal(0, count, state) end
  end)

  it("takes a job in the place of its id", function()
    q:enqueue "x"
    local job = q:dequeue()
    assert.are.equal("x", q:get(job).data)
    assert.is_true(q:cancel(job))
    assert.is_true(q:delete(job))
  end)

  it("prunes finished jobs by state and age", function()
    dead_job()
    q:enqueue "done"
    q:ack(q:dequeue())
    now = now + 10000
    local young = dead_job()
    assert.are.equal(1, q:prune { state = "dead", older_than = 10 })
    assert.are.equal("dead", q:get(young).state)
    assert.are.equal(1, q:prune { older_than = 10 })
    assert.are.equal(1, q:prune())
    assert.are.equal(0, q:prune())
    for _, state in ipairs { "ready", "delayed", "running" } do support.raises("INVALID", state, q.prune, q, { state = state }) end
  end)

  it("gives out nothing while it is paused", function()
    q:enqueue "x"
    q:pause()
    q:pause()
    assert.is_nil(q:dequeue())
    assert.is_true(q:stats().paused)
    q:enqueue "y"
    q:resume()
    assert.are.equal("x", q:dequeue().data)
  end)

  it("drains what waits, and leaves what runs", function()
    q:enqueue "runs"
    local job = q:dequeue()
    for i = 1, 200 do q:enqueue(i, { delay = i % 2 * 60, key = "k" .. i }) end
    assert.are.equal(200, q:drain())
    assert.are.equal(0, q:drain())
    assert.is_true(select(2, q:enqueue("x", { key = "k1" })))
    assert.is_true(q:ack(job))
  end)

  it("keeps done jobs for a time", function()
    local id = q:enqueue "x"
    q:ack(q:dequeue())
    now = now + 3599999
    q:enqueue "y"
    assert.are.equal("done", q:get(id).state)
    now = now + 2
    for _ = 1, 3 do q:enqueue "z" end
    assert.is_nil(q:get(id))
  end)

  it("keeps no done jobs by default, and so many when told", function()
    local default, counted = given.store:queue "d", given.store:queue("c", { keep_done = { count = 3 } })
    for i = 1, 10 do
      for _, one in ipairs { default, counted } do
        one:enqueue(i)
        one:ack(one:dequeue())
      end
    end
    assert.are.equal(0, default:counts().done)
    assert.are.equal(3, counted:counts().done)
    assert.are.equal(8, counted:each "done"().data)
  end)

  it("keeps dead jobs for 30 days", function()
    local id = dead_job()
    now = now + 30 * 86400000 - 1
    q:enqueue "x"
    assert.are.equal("dead", q:get(id).state)
    now = now + 2
    for _ = 1, 3 do q:enqueue "z" end
    assert.is_nil(q:get(id))
  end)
end)

support.on_each_engine("the clock of a queue", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { lease = 10 })
  end)

  it("may step back: nothing is lost, nobody's job is given away", function()
    q:enqueue "x"
    q:enqueue("y", { delay = 5 })
    local job = q:dequeue()
    now = now - 86400000
    assert.is_nil(q:dequeue())
    q:enqueue "z"
    local other = q:dequeue()
    assert.are.equal("z", other.data)
    assert.is_true(q:ack(job) and q:ack(other))
    now = now + 86400000 + 5000
    assert.are.equal("y", q:dequeue().data)
  end)

  it("may step forth: leases end, tokens still decide", function()
    q:enqueue "x"
    local job = q:dequeue()
    now = now + 365 * 86400000
    assert.is_true((q:extend(job, 10)))
    assert.is_nil(q:dequeue())
    now = now + 10000
    assert.are.equal(2, q:dequeue().attempt)
    now = now - 365 * 86400000
    assert.is_nil(q:dequeue())
    support.same({ false, "lost" }, { q:ack(job) })
  end)

  it("may jump about at random: each job is done once", function()
    support.at_random(function()
      local open, done, held = {}, {}, {}
      for i = 1, 60 do open[i] = q:enqueue(i, { delay = math.random(0, 3) * 10, max_attempts = 1000 }) end
      for _ = 1, 600 do
        now = now + math.random(-20000, 25000)
        local job = q:dequeue()
        if job then held[#held + 1] = job end
        local some = held[1] and table.remove(held, math.random(#held))
        if some and math.random(3) > 1 and q:ack(some) then
          assert.is_nil(done[some.id])
          done[some.id] = true
        end
      end
      for _ = 1, 1000 do
        now = now + 20000
        local job = q:dequeue()
        if job then
          assert.is_nil(done[job.id])
          done[job.id] = q:ack(job)
        end
      end
      for _, id in ipairs(open) do assert.is_true(done[id], "lost: " .. id) end
    end)
  end)

  it("that fails, fails the call", function()
    local broken
    local store = given.open { clock = function() return broken and "late" or now end }
    local queue = store:queue "mail"
    queue:enqueue "x"
    broken = true
    support.raises("INVALID", "clock", queue.enqueue, queue, "y")
    support.raises("INVALID", "clock", queue.dequeue, queue)
    broken = false
    assert.are.equal("x", queue:dequeue().data)
    assert.is_nil(queue:dequeue())
  end)
end)
