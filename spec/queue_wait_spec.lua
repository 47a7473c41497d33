-- Waiting for a job. Sleeping is the program's, so nothing here waits for long.
local core = require "larder.core"
local support = require "support"

support.on_each_engine("a wait", function(given)
  --- A queue whose sleep function does `during(turn)` instead.
  local function sleeping(during, clock)
    local turns = {}
    local store = given.open { clock = clock, sleep = function(seconds, on_wake)
      turns[#turns + 1] = seconds
      return during(#turns, on_wake)
    end }
    return store:queue "mail", turns, store
  end

  it("gives at once what is there", function()
    local q, turns = sleeping(function() error "slept" end)
    q:enqueue "x"
    assert.are.equal("x", q:dequeue { wait = 60 }.data)
    q:enqueue "y"
    assert.are.equal("y", q:dequeue { wait = 60, n = 3 }[1].data)
    support.none(turns)
  end)

  it("ends after its time, with nothing", function()
    local q = given.store:queue "mail"
    local start = core.queue.monotonic()
    assert.is_nil(q:dequeue { wait = 0.05 })
    support.none(q:dequeue { wait = 0.05, n = 2 })
    local took = core.queue.monotonic() - start
    assert.is_true(took >= 0.1 and took < 5, took)
    assert.is_nil(q:dequeue { wait = 0 })
  end)

  it("gives what is enqueued meanwhile, without another turn", function()
    local q, turns
    q, turns = sleeping(function(turn)
      if turn == 3 then q:enqueue "x" end
    end)
    assert.are.equal("x", q:dequeue { wait = 60 }.data)
    assert.are.equal(3, #turns)
    for _, seconds in ipairs(turns) do assert.is_true(seconds > 0 and seconds <= 1) end
  end)

  it("sees another handle's commit of the same process", function()
    local q, store, turns
    q, turns, store = sleeping(function(turn)
      if turn == 1 then store:update(function(tx) tx:queue "mail":enqueue "x" end) end
    end)
    assert.are.equal("x", q:dequeue { wait = 60 }.data)
    assert.are.equal(1, #turns)
  end)

  it("sleeps until a delayed job is due, and not past it", function()
    local now = 1700000000000
    local q, turns
    q, turns = sleeping(function(turn) now = now + (turn == 1 and 20 or 11) end, function() return now end)
    q:enqueue("x", { delay = 0.03 })
    assert.are.equal("x", q:dequeue { wait = 60 }.data)
    assert.are.equal(2, #turns)
    assert.is_true(turns[1] <= 0.03 and turns[2] <= 0.03)
  end)

  it("gets the job whose lease ends meanwhile", function()
    local now = 1700000000000
    local q = sleeping(function() now = now + 30000 end, function() return now end)
    q:enqueue "x"
    q:dequeue()
    assert.are.equal(2, q:dequeue { wait = 60 }.attempt)
  end)

  it("wakes a coroutine as soon as a job is committed", function()
    local q = sleeping(function(_, on_wake)
      local co = coroutine.running()
      on_wake(function() assert(coroutine.resume(co)) end)
      coroutine.yield()
    end)
    local got = {}
    local waiters = {}
    for i = 1, 3 do
      waiters[i] = coroutine.create(function()
        local job = q:dequeue { wait = 600 }
        got[#got + 1] = job.data
      end)
      assert(coroutine.resume(waiters[i]))
      assert.are.equal("suspended", coroutine.status(waiters[i]))
    end
    for i = 1, 3 do
      q:enqueue("job " .. i)
      assert.are.equal("job " .. i, got[i])
    end
    for _, waiter in ipairs(waiters) do assert.are.equal("dead", coroutine.status(waiter)) end
  end)

  it("lets a coroutine server run others, which need not tell", function()
    local q, _, store = sleeping(function() coroutine.yield() end, function() return 1700000000000 end)
    local got
    local waiter = coroutine.create(function() got = q:dequeue { wait = 600 } end)
    for _ = 1, 5 do assert(coroutine.resume(waiter)) end
    assert.is_nil(got)
    store:queue "mail":enqueue "x"
    assert(coroutine.resume(waiter))
    assert.are.equal("x", got.data)
  end)

  it("takes the sleep function of the queue before that of the store", function()
    local q, turns, store = sleeping(function() error "the store's" end)
    q = store:queue("mail", { sleep = function() q:enqueue "x" end })
    assert.are.equal("x", q:dequeue { wait = 60 }.data)
    support.none(turns)
  end)

  it("passes on what the sleep function raises", function()
    local q = sleeping(function() error("not now", 0) end)
    local ok, problem = pcall(q.dequeue, q, { wait = 60 })
    support.same({ false, "not now" }, { ok, problem })
  end)

  it("raises when the store is closed meanwhile", function()
    local store
    local q, _, opened = sleeping(function() store:close() end)
    store = opened
    support.raises("CLOSED", "", q.dequeue, q, { wait = 60 })
  end)

  it("does not get jobs of a paused queue until it goes on", function()
    local q
    q = sleeping(function(turn)
      if turn == 4 then q:resume() end
    end)
    q:enqueue "x"
    q:pause()
    assert.are.equal("x", q:dequeue { wait = 60 }.data)
  end)

  it("of no sense is INVALID", function()
    local q = given.store:queue "mail"
    for _, bad in ipairs { -1, 0 / 0, 1 / 0, "1", true, {} } do
      support.raises("INVALID", "wait", q.dequeue, q, { wait = bad })
    end
    support.raises("INVALID", "wiat", q.dequeue, q, { wiat = 1 })
    support.raises("INVALID", "sleep", given.store.queue, given.store, "mail", { sleep = 1 })
    support.raises("INVALID", "sleep", given.open, { sleep = 1 })
  end)
end)
