-- Periodic jobs; limits of rate and concurrency.
local support = require "support"

support.on_each_engine("a schedule", function(given)
  local q, now
  local minute, hour, day = 60000, 3600000, 86400000
  local start = 1709251200000 -- 2024-03-01 00:00 UTC, a Friday

  before_each(function()
    now = start
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue "mail"
  end)

  local function take()
    local job = q:dequeue()
    if job then
      q:ack(job)
      return job.data, job.run_at - start
    end
  end

  it("enqueues its data at each tick, once", function()
    q:schedule("nightly", "0 3 * * *", { what = "backup" }, { priority = 5, tags = { "n" }, timeout = 7 })
    assert.is_nil(q:dequeue())
    now = start + 3 * hour - 1
    assert.is_nil(q:dequeue())
    now = start + 3 * hour
    local job = q:dequeue()
    support.same({ what = "backup" }, job.data)
    support.same({ now, 5, now + 7000 }, { job.run_at, job.priority, job.lease_until })
    support.same({ "n" }, job.tags)
    q:ack(job)
    assert.is_nil(given.store:queue "mail":dequeue())
    now = now + day
    support.same({ { what = "backup" }, 27 * hour }, { take() })
    assert.is_nil(take())
  end)

  it("may be every so many seconds", function()
    q:schedule("often", { every = 0.5 }, 1)
    for i = 1, 4 do
      now = start + i * 500
      support.same({ 1, i * 500 }, { take() })
      assert.is_nil(take())
    end
  end)

  it("enqueues one of the ticks that were missed", function()
    q:schedule("often", { every = 60 }, 1)
    q:schedule("hourly", "@hourly", 2)
    now = start + 10 * day + 30000
    local got = { (take()), (take()) }
    support.exactly({ 1, 2 }, got)
    assert.is_nil(take())
    now = start + 10 * day + hour
    got = { (take()), (take()) }
    support.exactly({ 1, 2 }, got)
    assert.is_nil(take())
  end)

  it("keeps its next time when it is set again as it is, and not when it is another", function()
    q:schedule("often", { every = 60 }, 1)
    now = now + 40000
    q:schedule("often", { every = 60 }, 1)
    assert.are.equal(start + minute, q:schedules()[1].next)
    q:schedule("often", { every = 30 }, 1)
    assert.are.equal(now + 30000, q:schedules()[1].next)
    assert.are.equal(1, #q:schedules())
  end)

  it("is listed, and taken away", function()
    q:schedule("b", "*/15 8-17 * * mon-fri", { deep = { 1 } })
    q:schedule("a", { every = 2.5 }, "text")
    q:schedule("c", { cron = "0 0 1 jan *", zone = "local" }, false)
    local list = q:schedules()
    assert.are.equal(3, #list)
    support.same({ name = "a", every = 2.5, next = start + 2500, data = "text" }, list[1])
    support.same({ name = "b", cron = "*/15 8-17 * * mon-fri", zone = "utc", next = start + 8 * hour, data = { deep = { 1 } } }, list[2])
    support.same({ "c", "local", false }, { list[3].name, list[3].zone, list[3].data })
    assert.is_true(q:unschedule "a")
    assert.is_false(q:unschedule "a")
    now = now + minute
    assert.is_nil(q:dequeue())
  end)

  it("with a key enqueues nothing while its last job is unfinished", function()
    q:schedule("often", { every = 60 }, 1, { key = "only one" })
    now = start + minute
    local job = q:dequeue { lease = 600 }
    now = start + 2 * minute
    assert.is_nil(q:dequeue())
    q:ack(job)
    now = start + 3 * minute
    assert.is_not_nil(q:dequeue())
  end)

  it("follows the transaction", function()
    pcall(given.store.update, given.store, function(tx)
      tx:queue "mail":schedule("often", { every = 60 }, 1)
      error "no"
    end)
    support.none(q:schedules())
    q:schedule("often", { every = 60 }, 1)
    now = start + minute
    pcall(given.store.update, given.store, function(tx)
      assert.are.equal(1, tx:queue "mail":dequeue().data)
      error "no"
    end)
    assert.are.equal(1, (take()))
    assert.is_nil(take())
  end)
end)

support.on_each_engine("a limit", function(given)
  local now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
  end)

  local function filled(limit, count)
    local q = given.store:queue("mail", { limit = limit })
    for i = 1, count do q:enqueue { user = i % 2 == 0 and "even" or "odd", number = i } end
    return q
  end

  it("of concurrency lets so many run at once", function()
    local q = filled({ concurrency = 2 }, 4)
    local jobs = q:dequeue { n = 10 }
    assert.are.equal(2, #jobs)
    assert.is_nil(q:dequeue())
    q:ack(jobs[1])
    local third = q:dequeue()
    assert.are.equal(3, third.data.number)
    q:fail(third, "no", { retry = false })
    assert.are.equal(4, q:dequeue().data.number)
    now = now + 30000
    assert.are.equal(2, #q:dequeue { n = 10 })
  end)

  it("of a rate lets so many be claimed in its time", function()
    local q = filled({ rate = 3, per = 10 }, 8)
    assert.are.equal(2, #q:dequeue { n = 2 })
    now = now + 4000
    assert.are.equal(1, #q:dequeue { n = 10 })
    now = now + 5999
    assert.is_nil(q:dequeue())
    now = now + 1
    assert.are.equal(2, #q:dequeue { n = 10 })
    now = now + 4000
    assert.are.equal(1, #q:dequeue { n = 10 })
  end)

  it("by a field is one for each of its values", function()
    local q = filled({ concurrency = 1, by = "user" }, 6)
    local jobs = q:dequeue { n = 10 }
    assert.are.equal(2, #jobs)
    support.exactly({ "odd", "even" }, { jobs[1].data.user, jobs[2].data.user })
    local even = jobs[1].data.user == "even" and jobs[1] or jobs[2]
    local following = q:next(even)
    support.same({ "even", 4 }, { following.data.user, following.data.number })
    assert.is_nil(q:dequeue())
    q:enqueue { nobody = true }
    assert.is_true(q:dequeue().data.nobody)
  end)

  it("wakes who waits when a job is through", function()
    local q = filled({ concurrency = 1 }, 2)
    local job = q:dequeue()
    local waiting = given.store:queue("mail", { sleep = function() q:ack(job) end })
    assert.are.equal(2, waiting:dequeue { wait = 60 }.data.number)
  end)

  it("may be changed, with jobs in the queue", function()
    local q = filled({ concurrency = 1, by = "user" }, 6)
    q:dequeue { n = 10 }
    given.store:queue("mail", { limit = { concurrency = 3 }, replace = true })
    assert.are.equal(1, #q:dequeue { n = 10 })
    given.store:queue("mail", { lease = 30, replace = true })
    assert.are.equal(3, #q:dequeue { n = 10 })
  end)
end)
