-- The leases of a worker, on clocks of the test.
local core = require "larder.core"
local support = require "support"

support.on_each_engine("the leases of a worker", function(given)
  local q, now
  local monotonic = core.queue.monotonic

  before_each(function()
    now = 1700000000000
    core.queue.monotonic = function() return now / 1000 end
    given.store:close()
    given.store = given.open { clock = function() return now end }
    q = given.store:queue("mail", { lease = 30 })
  end)

  after_each(function() core.queue.monotonic = monotonic end)

  local function once(handler, options)
    local over = false
    options = options or {}
    options.stop = function() return over end
    return q:work(function(job)
      over = job.data == "last"
      return handler(job)
    end, options)
  end

  it("are renewed at a third, between the steps that the handler marks", function()
    local id = q:enqueue "last"
    local renewed = {}
    once(function(job)
      local first = now
      for _ = 1, 5 do
        now = now + 4000
        assert.is_true(job:extend())
        renewed[#renewed + 1] = q:get(id).lease_until - first - 30000
      end
      assert.are.equal(q:get(id).lease_until, job.lease_until)
      assert.is_true(job:extend(120))
      assert.are.equal(now + 120000, q:get(id).lease_until)
      now = now + 39999
      assert.is_true(job:extend())
      assert.are.equal(now + 80001, q:get(id).lease_until)
      now = now + 1
      assert.is_true(job:extend())
      assert.are.equal(now + 120000, q:get(id).lease_until)
    end)
    support.same({ 0, 0, 12000, 12000, 12000 }, renewed)
  end)

  it("are those of the option, of the job, or of the queue", function()
    for _, case in ipairs { { { lease = 6 }, { timeout = 9 }, 6 }, { {}, { timeout = 9 }, 9 }, { {}, {}, 30 } } do
      local id = q:enqueue("last", case[2])
      once(function(job)
        assert.are.equal(now + case[3] * 1000, job.lease_until)
        now = now + case[3] * 1000 // 3
        job:extend()
        assert.are.equal(now + case[3] * 1000, q:get(id).lease_until)
      end, case[1])
    end
  end)

  it("of jobs that were claimed together are kept while one runs long", function()
    for _, data in ipairs { "long", "second", "last" } do q:enqueue(data) end
    local other = given.store:queue "mail"
    local seen = {}
    once(function(job)
      seen[#seen + 1] = job.data
      for _ = 1, job.data == "long" and 20 or 0 do
        now = now + 9000
        assert.is_true(job:extend())
        assert.is_nil(other:dequeue())
      end
    end, { n = 3 })
    support.same({ "long", "second", "last" }, seen)
    assert.are.equal(3, q:stats().done)
    assert.are.equal(0, q:stats().lost)
  end)

  it("that have ended while one ran long leave those jobs to others", function()
    for _, data in ipairs { "last", "second" } do q:enqueue(data) end
    local other = given.store:queue "mail"
    local taken
    assert.are.equal(1, (once(function()
      now = now + 30000
      taken = other:dequeue { n = 2 }
      assert.is_true(other:release(taken[1]))
      assert.is_true(other:ack(taken[2]))
    end, { n = 2 }) == 0 and 1))
    assert.are.equal(1, q:counts().ready)
  end)
end)
