-- Queues: what goes in comes out, in order, as it was.
local larder = require "larder"
local support = require "support"

support.on_each_engine("a queue", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue "mail"
  end)

  local function drain_data(queue)
    local all = {}
    for job in function() return queue:dequeue() end do
      all[#all + 1] = job.data
      assert.is_true(queue:ack(job))
    end
    return all
  end

  it("gives what was enqueued, with all that is known of it", function()
    local id, created = q:enqueue({ to = "ada" }, { priority = 3, tags = { "a", "b" } })
    assert.is_true(created)
    now = now + 5
    local job = q:dequeue()
    support.same({ to = "ada" }, job.data)
    support.same({ id, 1, 3, now - 5, now - 5, now + 30000 },
      { job.id, job.attempt, job.priority, job.run_at, job.enqueued_at, job.lease_until })
    assert.are.equal("integer", math.type(job.token))
    support.same({ "a", "b" }, job.tags)
  end)

  it("has nothing for anybody while it is empty, or all of it runs", function()
    assert.is_nil(q:dequeue())
    q:enqueue "one"
    assert.is_not_nil(q:dequeue())
    assert.is_nil(q:dequeue())
  end)

  it("gives jobs in order of priority, run_at, id", function()
    q:enqueue("f", { priority = 1 })
    q:enqueue("d")
    q:enqueue("e")
    q:enqueue("c", { run_at = now - 1 })
    q:enqueue("b", { priority = -1 })
    q:enqueue("a", { priority = math.mininteger, run_at = now - 1 })
    q:enqueue("g", { priority = math.maxinteger, run_at = 0 })
    support.same({ "a", "b", "c", "d", "e", "f", "g" }, drain_data(q))
  end)

  it("keeps the order of ties, and of jobs that were delayed", function()
    q:enqueue("late", { delay = 10 })
    for i = 1, 20 do q:enqueue(i, { run_at = now + 10000 }) end
    assert.is_nil(q:dequeue())
    now = now + 10000
    local expected = { "late" }
    for i = 1, 20 do expected[i + 1] = i end
    support.same(expected, drain_data(q))
  end)

  it("gives a delayed job when its time has come, not before", function()
    q:enqueue("b", { delay = 0.5 })
    q:enqueue("c", { run_at = now + 501 })
    q:enqueue("a")
    assert.are.equal("a", q:dequeue().data)
    now = now + 499
    assert.is_nil(q:dequeue())
    now = now + 1
    assert.are.equal("b", q:dequeue().data)
    assert.is_nil(q:dequeue())
    now = now + 1
    assert.are.equal("c", q:dequeue().data)
  end)

  it("gives a delayed job of a lower number first once it is due", function()
    q:enqueue("later", { delay = 1, priority = -5 })
    q:enqueue("first")
    q:enqueue("last")
    assert.are.equal("first", q:dequeue().data)
    now = now + 1000
    support.same({ "later", "last" }, drain_data(q))
  end)

  it("gives several at once, in order, and always as a list", function()
    for i = 1, 5 do q:enqueue(i) end
    local jobs = q:dequeue { n = 3 }
    support.same({ 1, 2, 3 }, { jobs[1].data, jobs[2].data, jobs[3].data })
    assert.are.equal(3, #jobs)
    assert.are.equal(2, #q:dequeue { n = 10 })
    support.none(q:dequeue { n = 1 })
    q:enqueue(6)
    assert.are.equal(6, q:dequeue { n = 1 }[1].data)
  end)

  it("gives data back as they were", function()
    local deep = {}
    for _ = 1, 127 do deep = { deep } end
    local all = {
      1, 1.0, -0.0, 0 / 0, 1 / 0, math.mininteger, true, false, "", "text", "\xff\0bytes", larder.null, {}, larder.array {},
      { 1, 2, { a = larder.array {} } }, { [1] = "a", [3] = "c", x = { [true] = 1.5 } }, deep, { data = 1, id = 2, token = "mine" },
      ("x"):rep(100000),
    }
    for _, data in ipairs(all) do
      q:enqueue(data)
      local job = q:dequeue()
      support.same(data, job.data)
      support.same(data, q:get(job.id).data)
      q:ack(job)
    end
  end)

  it("enqueues many in one transaction, data as deep as alone", function()
    local deep = {}
    for _ = 1, 127 do deep = { deep } end
    local ids, created = q:enqueue_many {
      { data = "b" }, { data = "a", priority = -1 }, { data = deep, delay = 1 }, { data = 7, key = "k" }, { data = 8, key = "k" },
    }
    assert.are.equal(4, created)
    assert.are.equal(ids[4], ids[5])
    assert.is_true(ids[1] < ids[2] and ids[2] < ids[3] and ids[3] < ids[4])
    support.same({ "a", "b", 7 }, drain_data(q))
    support.same(deep, q:get(ids[3]).data)
    support.none((q:enqueue_many {}))
  end)

  it("enqueues all of many or none", function()
    for _, bad in ipairs { { data = print }, { data = 1, delay = -1 }, { priority = 1 }, "text", { data = 1, dela = 1 } } do
      support.raises("INVALID", "job 2", q.enqueue_many, q, { { data = 1 }, bad, { data = 3 } })
    end
    assert.is_nil(q:dequeue())
    support.none(given.store:queues())
  end)

  it("never gives an id twice", function()
    local last = 0
    for round = 1, 5 do
      for _ = 1, 3 do
        local id = q:enqueue(round)
        assert.is_true(id > last)
        last = id
      end
      q:drain()
      q:enqueue "x"
      q:ack(q:dequeue())
    end
    pcall(given.store.update, given.store, function(tx)
      tx:queue("mail"):enqueue "rolled back"
      error "no"
    end)
    assert.is_true(q:enqueue "y" > last)
  end)

  it("acknowledges and claims in one", function()
    for i = 1, 3 do q:enqueue(i) end
    local job, acknowledged, why = q:next(q:dequeue())
    support.same({ 2, true }, { job.data, acknowledged })
    assert.is_nil(why)
    local jobs = q:next(job, { n = 2, lease = 5 })
    support.same({ 3, now + 5000 }, { jobs[1].data, jobs[1].lease_until })
    job, acknowledged, why = q:next(job)
    assert.is_nil(job)
    support.same({ false, "lost" }, { acknowledged, why })
    assert.is_nil((q:next(jobs[1])))
    assert.are.equal(0, q:counts().running)
  end)

  it("acknowledges many, and says which were lost", function()
    for i = 1, 4 do q:enqueue(i) end
    local jobs = q:dequeue { n = 4 }
    q:ack(jobs[2])
    q:cancel(jobs[3].id)
    local count, others = q:ack_many(jobs)
    support.same({ 2, { [jobs[2].id] = "lost", [jobs[3].id] = "cancelled" } }, { count, others })
    assert.are.equal(0, q:counts().running)
    support.same({ 0, {} }, { q:ack_many {} })
  end)
end)
