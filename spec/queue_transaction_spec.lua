-- Jobs and data in one transaction.
local core = require "larder.core"
local support = require "support"

support.on_each_engine("a queue in a transaction", function(given)
  it("commits its jobs with the data", function()
    local id = given.store:update(function(tx)
      tx:map "plans":set("p", { title = "build" })
      return (tx:queue "runs":enqueue { plan = "p" })
    end)
    local q = given.store:queue "runs"
    assert.are.equal(id, q:get(id).id)
    given.store:update(function(tx)
      local inside = tx:queue "runs"
      local job = inside:dequeue()
      tx:map "plans":set(job.data.plan, { title = "built" })
      assert.is_true(inside:ack(job))
    end)
    assert.is_nil(q:get(id))
    assert.are.equal("built", given.store:map "plans":get "p".title)
  end)

  it("leaves no job, no queue and no wake-up when it is rolled back", function()
    local commits = core.queue.commits()
    local woken = 0
    core.queue.on_commit(function() woken = woken + 1 end)
    pcall(given.store.update, given.store, function(tx)
      tx:queue "runs":enqueue "x"
      error "no"
    end)
    do
      local tx <close> = given.store:begin "write"
      tx:queue "runs":enqueue "y"
    end
    given.store:update(function(tx)
      pcall(tx.update, tx, function(inner)
        inner:queue "runs":enqueue "z"
        error "no"
      end)
    end)
    assert.are.equal(commits, core.queue.commits())
    assert.are.equal(0, woken)
    support.none(given.store:queues())
    given.store:update(function(tx)
      tx:update(function(inner) inner:queue "runs":enqueue "z" end)
      assert.are.equal(0, woken)
    end)
    local tx = given.store:begin "write"
    tx:queue "runs":enqueue "w"
    tx:commit()
    given.store:queue "runs":enqueue "v"
    core.queue.on_commit(nil)
    assert.are.equal(commits + 3, core.queue.commits())
    assert.are.equal(3, woken)
  end)

  it("gives back what was claimed or finished in it when it is rolled back", function()
    local q = given.store:queue "runs"
    q:enqueue "a"
    q:enqueue "b"
    local a = q:dequeue()
    for _, use in ipairs { "ack", "fail", "release" } do
      pcall(given.store.update, given.store, function(tx)
        local inside = tx:queue "runs"
        assert.is_true((inside[use](inside, a)))
        assert.is_not_nil(inside:dequeue())
        error "no"
      end)
      assert.are.equal(1, q:counts().running)
      assert.are.equal(1, q:counts().ready)
    end
    assert.is_true(q:ack(a))
  end)

  it("is opened, declared and listed inside", function()
    given.store:update(function(tx)
      tx:queue("new", { lease = 3 }):enqueue(1)
      support.same({ "new" }, tx:queues())
      assert.are.equal(1, tx:queue "new":counts().ready)
      support.none(given.store:queues())
    end)
    given.store:queue("new", { lease = 3 })
  end)

  it("is read in a view, and not written", function()
    local q = given.store:queue "runs"
    local id = q:enqueue "x"
    given.store:view(function(tx)
      local inside = tx:queue "runs"
      q:ack(q:dequeue())
      assert.are.equal("ready", inside:get(id).state)
      assert.are.equal(1, inside:counts().ready)
      assert.are.equal(id, inside:each "ready"().id)
      for _, write in ipairs { "dequeue", "drain", "pause", "resume", "retry_all", "prune" } do
        support.raises("MISUSE", "view", inside[write], inside)
      end
      support.raises("MISUSE", "view", inside.enqueue, inside, 1)
    end)
  end)

  it("is of no use after the transaction", function()
    local inside = given.store:update(function(tx) return tx:queue "runs" end)
    support.raises("CLOSED", "ended", inside.enqueue, inside, 1)
    assert.are.equal('larder.queue: "runs" (closed)', tostring(inside))
  end)

  it("cannot be waited on, or worked", function()
    given.store:update(function(tx)
      local inside = tx:queue "runs"
      support.raises("INVALID", "transaction", inside.dequeue, inside, { wait = 0 })
      support.raises("INVALID", "transaction", inside.work, inside, print)
    end)
  end)

  it("refuses the store's own queue while it writes", function()
    given.store:update(function(tx)
      tx:queue "runs":enqueue "x"
      local q = given.store:queue "runs"
      support.raises("MISUSE", "tx", q.enqueue, q, "y")
      support.raises("MISUSE", "tx", q.dequeue, q)
    end)
  end)

  it("holds up under finalizers that use the store", function()
    local q = given.store:queue("runs", { backoff = 0 })
    local function mess()
      setmetatable({}, { __gc = function()
        pcall(function()
          given.store:map "m":set("k", ("x"):rep(200))
          given.store:queue "other":enqueue({ ("y"):rep(300) }, { key = "k", tags = { "a" } })
        end)
      end })
    end
    support.with_constant_collection(function()
      for i = 1, 40 do
        mess()
        local id = q:enqueue({ number = i, text = ("z"):rep(i) }, { priority = i, tags = { "t" } })
        mess()
        q:enqueue_many { { data = { i } , delay = 1000 }, { data = "b", delay = 1000 } }
        mess()
        local job = q:dequeue()
        support.same({ number = i, text = ("z"):rep(i) }, job.data)
        mess()
        q:fail(job, setmetatable({}, { __tostring = function()
          mess()
          return "text " .. i
        end }), { delay = 0 })
        mess()
        support.same("text " .. i, q:get(id).errors[1].error)
        local jobs = q:dequeue { n = 2 }
        assert.are.equal(i, jobs[1].data.number)
        mess()
        assert.is_true(q:ack(jobs[1].id))
        for one in q:each "delayed" do
          mess()
          assert.is_true(one.data == "b" or type(one.data[1]) == "number")
        end
      end
    end)
  end)
end)
