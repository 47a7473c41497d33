-- Unique jobs: a key, while a job with it is unfinished, or within a window.
local support = require "support"

support.on_each_engine("a key", function(given)
  local q, now

  before_each(function()
    now = 1700000000000
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { max_attempts = 1, keep_done = 1000 })
  end)

  local function taken_by(id, options)
    options = options or {}
    options.key = "k"
    local found, created = q:enqueue("again", options)
    return found == id and not created
  end

  local states = {
    delayed = function() return (q:enqueue("x", { key = "k", delay = 5 })) end,
    ready = function() return (q:enqueue("x", { key = "k" })) end,
    running = function()
      q:enqueue("x", { key = "k" })
      return q:dequeue().id
    end,
  }
  for state, make in pairs(states) do
    it("is taken while its job is " .. state, function()
      local id = make()
      assert.are.equal(state, q:get(id).state)
      assert.is_true(taken_by(id))
      assert.are.equal("x", q:get(id).data)
      assert.are.equal(1, q:counts().delayed + q:counts().ready + q:counts().running)
    end)
  end

  local ends = {
    done = function(id) q:ack(id) end,
    dead = function(id) q:fail(id, "no") end,
    cancelled = function(id)
      q:cancel(id)
      q:ack(id)
    end,
    deleted = function(id) q:delete(id) end,
  }
  for state, finish in pairs(ends) do
    it("is free when its job is " .. state, function()
      local id = states.running()
      finish(id)
      local found = q:get(id)
      assert.are.equal(state, found and found.state or "deleted")
      local new, created = q:enqueue("y", { key = "k" })
      assert.is_true(created and new > id)
    end)
  end

  it("is taken again when a job is tried again", function()
    q = given.store:queue("other", { max_attempts = 2 })
    local id = q:enqueue("x", { key = "k" })
    q:fail(q:dequeue(), "once")
    assert.are.equal("delayed", q:get(id).state)
    assert.is_true(taken_by(id))
    now = now + 86400000
    q:release(q:dequeue())
    assert.is_true(taken_by(id))
  end)

  it("that another job has taken refuses the retry of a dead one", function()
    local id = q:enqueue("x", { key = "k" })
    q:fail(q:dequeue(), "no")
    local other = q:enqueue("y", { key = "k" })
    support.raises("EXISTS", "", q.retry, q, id)
    assert.are.equal("dead", q:get(id).state)
    assert.are.equal(0, q:retry_all())
    q:ack(q:dequeue())
    assert.are.equal("done", q:get(other).state)
    assert.is_true(q:retry(id))
    assert.is_true(taken_by(id))
  end)

  it("stays taken within a window though its job is finished, and even gone", function()
    local id = q:enqueue("x", { key = "k", within = 60 })
    q:ack(q:dequeue())
    now = now + 59999
    assert.is_true(taken_by(id))
    assert.are.equal(1, q:prune { state = "done" })
    assert.is_true(taken_by(id, { within = 60 }))
    now = now + 1
    assert.is_false(taken_by(id))
  end)

  it("is taken past its window while its job is unfinished", function()
    local id = q:enqueue("x", { key = "k", within = 60 })
    now = now + 3600000
    assert.is_true(taken_by(id))
    q:ack(q:dequeue())
    assert.is_false(taken_by(id))
  end)

  it("is one queue's, of any bytes", function()
    for _, key in ipairs { "k", "k\0", "k\0\0", "\xff", ("k"):rep(1023) } do
      assert.is_true(select(2, q:enqueue("x", { key = key })))
      assert.is_false(select(2, q:enqueue("x", { key = key })))
    end
    assert.is_true(select(2, given.store:queue "other":enqueue("x", { key = "k" })))
  end)
end)
