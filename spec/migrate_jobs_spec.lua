-- What a dry run reports of queues, and of rooms that expire.
local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local STATES = { "delayed", "ready", "running", "done", "dead", "cancelled" }

on_each_engine("a dry run and queues", function(given)
  local store, queue, now, ids
  --- Jobs 1 to 6: ready, ready, delayed, dead, running, done.
  before_each(function()
    now, ids = 1000000, {}
    store = given.open { clock = function() return now end }
    queue = store:queue("mail", { max_attempts = 1, keep_done = 1000, backoff = 1 })
    for i = 1, 3 do ids[3 + i] = queue:enqueue("claimed " .. i) end
    queue:fail(queue:dequeue(), "no")
    ids.running = queue:dequeue()
    queue:ack(queue:dequeue())
    for i = 1, 3 do ids[i] = queue:enqueue("job " .. i, { delay = i == 3 and 60 or nil, key = i == 1 and "one" or nil }) end
  end)

  local function jobs()
    local all = { counts = queue:counts(), stats = queue:stats() }
    for _, state in ipairs(STATES) do
      for job in queue:each(state) do all[#all + 1] = job end
    end
    return all
  end

  --- What a dry run of the function reports; the queue must be as before, and the true run do what was reported.
  local function changes_of(up, options)
    local migrations = larder.migrations(store, { { name = "it", checksum = "1", up = up } })
    options = options or {}
    options.dry_run = true
    local before = jobs()
    local changes = migrations:up(options)[1].changes
    same(before, jobs())
    migrations:up()
    for _, sample in ipairs(changes[1].samples) do same(sample.after, queue:get(sample.key)) end
    return changes
  end

  local function expect(changes, read, written, deleted)
    assert.are.equal(1, #changes)
    local place = changes[1]
    same({ "queue", "mail", read, written, deleted }, { place.kind, place.name, place.read, place.written, place.deleted })
    return place.samples
  end

  --- Each sample as "data: state -> state".
  local function states(samples)
    local list = {}
    for i, sample in ipairs(samples) do
      local known = sample.before or sample.after or { data = sample.key }
      list[i] = ("%s: %s -> %s"):format(known.data, sample.before and sample.before.state, sample.after and sample.after.state)
    end
    return list
  end

  it("report jobs that are made, and those that were there already as such", function()
    local samples = expect(changes_of(function(tx)
      local q = tx:queue "mail"
      assert(q:enqueue("new", { priority = 3 }))
      assert(not select(2, q:enqueue("again", { key = "one" })))
      local made, created = q:enqueue_many {
        { data = "a" }, { data = "b", key = "one" }, { data = "c", key = "c" }, { data = "d", key = "c" },
      }
      assert(#made == 4 and created == 2 and made[2] == ids[1] and made[3] == made[4])
    end, { samples = 9 }), 0, 3, 0)
    same({ "new: nil -> ready", "a: nil -> ready", "c: nil -> ready" }, states(samples))
    assert.are.equal(3, samples[1].after.priority)
  end)

  it("report jobs that are claimed and ended", function()
    local samples = expect(changes_of(function(tx)
      local q = tx:queue "mail"
      local job = q:dequeue()
      assert(job.id == ids[1] and q:ack(job))
      local both = q:dequeue { n = 5 }
      assert(#both == 1 and both[1].id == ids[2] and not q:dequeue() and #q:dequeue { n = 1 } == 0)
      assert(q:next(both[1]) == nil and q:ack_many { both[1] } == 0)
      assert(q:extend(ids.running, 90) and q:release(ids.running))
    end, { samples = 9 }), 2, 2 + 2 + 2 - 1 + 1, 0)
    same({ "job 1: ready -> done", "job 2: ready -> done", "claimed 2: running -> ready" }, states(samples))
  end)

  it("report jobs that are called off, tried again, removed", function()
    local samples = expect(changes_of(function(tx)
      local q = tx:queue "mail"
      assert(q:cancel(ids[3]) and q:retry(ids[4]) and q:delete(ids[1]) and not q:delete(ids[1]) and not q:cancel(99))
      assert(q:fail(ids.running, "no") and q:get(ids[2]).data == "job 2" and q:get(99) == nil)
      for job in q:each "ready" do assert(job.data) end
    end, { samples = 9 }), 1 + 2, 3, 1)
    same({ "job 3: delayed -> cancelled", "claimed 1: dead -> ready", "job 1: ready -> nil" }, { table.unpack(states(samples), 1, 3) })
    same({ "99: nil -> nil", "claimed 2: running -> dead" }, { table.unpack(states(samples), 4) })
  end)

  it("report changes of many at once, by the first of them", function()
    local function samples_of(most, read, written, deleted, up)
      return states(expect(changes_of(up, { samples = most }), read, written, deleted))
    end
    same({ "claimed 1: dead -> ready" }, samples_of(9, 0, 1, 0, function(tx) assert(tx:queue("mail"):retry_all() == 1) end))
    store:map("larder.migrations"):delete(1)
    same({ "claimed 3: done -> nil" }, samples_of(9, 0, 0, 1, function(tx) assert(tx:queue("mail"):prune { state = "done" } == 1) end))
    store:map("larder.migrations"):delete(1)
    same({ "claimed 1: ready -> nil", "job 1: ready -> nil" }, samples_of(2, 0, 0, 4, function(tx)
      assert(tx:queue("mail"):drain() == 4)
    end))
  end)

  it("count other calls by their names, and leave out what was rolled back inside", function()
    local changes = changes_of(function(tx)
      local q = tx:queue "mail"
      q:pause()
      q:resume()
      assert(q:counts().ready == 2)
      pcall(tx.update, tx, function(inner)
        inner:queue("mail"):drain()
        error "back"
      end)
    end)
    same({ pause = 1, resume = 1, counts = 1 }, changes[1].calls)
    same({}, expect(changes, 0, 0, 0))
  end)

  it("refuse what the true ones refuse", function()
    local migrations = larder.migrations(store, { { name = "it", up = function(tx)
      local q = tx:queue "mail"
      raises("INVALID", "data", function() q:enqueue() end)
      raises("INVALID", "job", function() q:ack "x" end)
      raises("INVALID", "jobs", function() q:ack_many(1) end)
      raises("INVALID", "job", function() q:next {} end)
      raises("INVALID", '"state"', function() q:prune { states = "done" } end)
      raises("INVALID", nil, function() q:each "odd" end)
    end } })
    same({}, migrations:up({ dry_run = true })[1].changes)
  end)

  it("report rooms that expire", function()
    local rooms = store:rooms()
    for _, name in ipairs { "attic", "cellar", "garden" } do
      rooms:save { roomName = name }
      rooms:rate(name, "ada", "movie-1", "like", 1)
      now = now + 60000
    end
    local migrations = larder.migrations(store, { { name = "it", up = function(tx)
      assert(tx:rooms():expire { idle = 100 } == 2)
      raises("INVALID", nil, function() tx:rooms():expire { idel = 1 } end)
    end } })
    local place = migrations:up({ dry_run = true })[1].changes[1]
    same({ "rooms", 0, 0, 2 }, { place.kind, place.read, place.written, place.deleted })
    same({ "attic", "cellar" }, { place.samples[1].key, place.samples[2].key })
    same({ "ada", "like", 1 }, place.samples[1].before.ratings["movie-1"][1])
    assert.is_nil(place.samples[1].after)
    assert.are.equal(3, #rooms:list())
    migrations:up()
    same({ "garden" }, support.collect(rooms:names()))
  end)
end)
