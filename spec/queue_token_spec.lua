-- Who holds a job: the token decides, not the clock.
local support = require "support"

support.on_each_engine("the holder of a job", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { lease = 10, max_attempts = 9, backoff = 0 })
  end)

  local lost = { false, "lost" }
  local ends = {
    ack = function(job, on) return (on or q):ack(job) end,
    fail = function(job, on) return (on or q):fail(job, "why") end,
    release = function(job, on) return (on or q):release(job) end,
  }
  local uses = { extend = function(job, on) return (on or q):extend(job, 5) end }
  for name, use in pairs(ends) do uses[name] = use end

  for name, use in pairs(uses) do
    it("may " .. name .. " it late, while nobody else has claimed it", function()
      q:enqueue "x"
      local job = q:dequeue()
      now = now + 3600000
      assert.is_true((use(job)))
    end)

    it("may not " .. name .. " it any more when it was claimed again", function()
      q:enqueue "x"
      local old = q:dequeue()
      now = now + 10000
      local new = q:dequeue()
      assert.are.equal(old.id, new.id)
      assert.are.equal(2, new.attempt)
      assert.are_not.equal(old.token, new.token)
      local before = q:get(old.id)
      support.same(lost, { use(old) })
      support.same(before, q:get(old.id))
      assert.is_true((use(new)))
    end)

    it("may not " .. name .. " a job that is unknown", function()
      support.same(lost, { use { id = 987654321, token = 1 } })
      support.same(lost, { use(987654321) })
      local id = q:enqueue "x"
      support.same(lost, { use { id = id, token = 0 } })
      support.same(lost, { use(id) })
      assert.are.equal("ready", q:get(id).state)
    end)
  end

  for first, finish in pairs(ends) do
    for second, use in pairs(uses) do
      it(("has lost it to %s after %s"):format(second, first), function()
        q:enqueue "x"
        local job = q:dequeue()
        assert.is_true((finish(job)))
        local before = q:get(job.id)
        support.same(lost, { use(job) })
        support.same(lost, { use(job.id) })
        support.same(before, q:get(job.id))
      end)
    end
  end

  it("may name it by its id, through the handle that has claimed it only", function()
    q:enqueue "x"
    local job = q:dequeue()
    local other = given.store:queue "mail"
    for _, use in pairs(uses) do support.same(lost, { use(job.id, other) }) end
    assert.is_true((q:extend(job.id, 60)))
    assert.is_true((other:extend(job, 60)))
    assert.is_true((q:ack(job.id)))
  end)

  it("uses the id with the token of its latest claim", function()
    q:enqueue "x"
    local old = q:dequeue()
    now = now + 10000
    q:dequeue()
    support.same(lost, { q:ack(old) })
    assert.is_true((q:ack(old.id)))
  end)

  it("is not the handle whose claim another has taken over", function()
    q:enqueue "x"
    local job, other = q:dequeue(), given.store:queue "mail"
    now = now + 10000
    local again = other:dequeue()
    support.same(lost, { q:ack(job.id) })
    assert.is_true((other:ack(again.id)))
  end)

  it("is found among many claims that were never finished", function()
    local first = q:enqueue "x"
    q:dequeue()
    for _ = 1, 300 do
      q:enqueue_many((function()
        local many = {}
        for i = 1, 100 do many[i] = { data = i } end
        return many
      end)())
      q:dequeue { n = 100 }
    end
    assert.is_true((q:ack(first)))
  end)

  it("has nothing when its claim was rolled back", function()
    q:enqueue "x"
    local job
    pcall(given.store.update, given.store, function(tx)
      job = tx:queue "mail":dequeue()
      error "no"
    end)
    assert.are.equal("x", job.data)
    support.same(lost, { q:ack(job) })
    local again = q:dequeue()
    assert.are.equal(1, again.attempt)
    support.same(lost, { q:ack(job) })
    assert.is_true((q:ack(again)))
  end)

  it("gets more time, from now on", function()
    q:enqueue("x", { timeout = 20 })
    local job = q:dequeue()
    assert.are.equal(now + 20000, job.lease_until)
    now = now + 5000
    support.same({ true, now + 60000 }, { q:extend(job, 60) })
    assert.are.equal(now + 60000, job.lease_until)
    support.same({ true, now + 20000 }, { q:extend(job.id) })
    assert.are.equal(now + 20000, q:get(job.id).lease_until)
    now = now + 19999
    assert.is_nil(q:dequeue())
    now = now + 1
    assert.are.equal(2, q:dequeue().attempt)
  end)

  it("learns at extend and at ack that the job was cancelled", function()
    local id = q:enqueue "x"
    local job = q:dequeue()
    assert.is_true(q:cancel(id))
    assert.are.equal("running", q:get(id).state)
    support.same({ false, "cancelled" }, { q:extend(job, 5) })
    support.same({ false, "cancelled" }, { q:ack(job) })
    assert.are.equal("cancelled", q:get(id).state)
    support.same(lost, { q:ack(job) })
    assert.is_nil(q:dequeue())
  end)

  it("that is gone leaves a cancelled job cancelled", function()
    local id = q:enqueue "x"
    q:dequeue()
    q:cancel(id)
    now = now + 10000
    assert.is_nil(q:dequeue())
    assert.are.equal("cancelled", q:get(id).state)
  end)
end)
