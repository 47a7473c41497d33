-- The queues of a store: their names, their options.
local support = require "support"

support.on_each_engine("queues of one store", function(given)
  it("are apart, also when one's name begins with another's", function()
    local names = { "a", "a\0", "ab", "a\0b", "\xff", ("n"):rep(1023) }
    for i, name in ipairs(names) do
      local q = given.store:queue(name)
      q:enqueue(i, { key = "same key" })
      q:enqueue(-i, { delay = 60 })
      q:schedule("same name", { every = 60 }, i)
    end
    for i, name in ipairs(names) do
      local q = given.store:queue(name)
      local job = q:dequeue()
      assert.are.equal(i, job.data)
      assert.is_nil(q:dequeue())
      assert.are.equal(1, q:counts().delayed)
      assert.are.equal(1, q:drain())
      assert.is_true(q:unschedule "same name")
    end
    support.exactly(names, given.store:queues())
  end)

  it("do not know each other's jobs", function()
    local a, b = given.store:queue "a", given.store:queue "b"
    local id = a:enqueue "x"
    local job = a:dequeue()
    assert.is_nil(b:get(id))
    support.same({ false, "lost" }, { b:ack(job) })
    assert.is_false(b:cancel(id) or b:retry(id) or b:delete(id))
    assert.is_true(a:ack(job))
  end)

  it("are not there before something is written", function()
    local q = given.store:queue "ghost"
    assert.is_nil(q:dequeue())
    assert.are.equal(0, q:counts().ready)
    support.none(q:schedules())
    assert.is_nil(q:each "ready"())
    assert.are.equal(0, q:stats().enqueued)
    support.none(given.store:queues())
  end)

  it("say what they are", function()
    local q = given.store:queue "mail"
    assert.are.equal('larder.queue: "mail"', tostring(q))
    given.store:close()
    assert.are.equal('larder.queue: "mail" (closed)', tostring(q))
    support.raises("CLOSED", "", q.enqueue, q, 1)
    support.raises("CLOSED", "", q.dequeue, q, { wait = 1 })
    support.raises("CLOSED", "", q.work, q, print)
  end)
end)

support.on_each_engine("the options of a queue", function(given)
  it("are shared by all handles of its name", function()
    given.store:queue("mail", { lease = 7, max_attempts = 2 })
    local q = given.store:queue "mail"
    q:enqueue "x"
    local job = q:dequeue()
    assert.are.equal(2, job.max_attempts)
    assert.is_true(math.abs(job.lease_until - job.run_at - 7000) < 1000)
    given.store:queue("mail", { max_attempts = 2, lease = 7.0 })
  end)

  it("are not changed unless one says so", function()
    given.store:queue("mail", { lease = 7 })
    support.raises("INVALID", { "mail", "lease", "replace" }, given.store.queue, given.store, "mail", { lease = 8 })
    given.store:queue("mail", { lease = 8, replace = true })
    given.store:queue("mail", { lease = 8 })
    support.raises("INVALID", "lease", given.store.queue, given.store, "mail", { lease = 7 })
  end)

  it("are set in a transaction or not at all", function()
    pcall(given.store.update, given.store, function(tx)
      tx:queue("mail", { lease = 7 })
      error "no"
    end)
    given.store:queue("mail", { lease = 8 })
    given.store:view(function(tx)
      tx:queue("mail", { lease = 8 })
      support.raises("INVALID", "lease", tx.queue, tx, "mail", { lease = 9 })
    end)
  end)
end)
