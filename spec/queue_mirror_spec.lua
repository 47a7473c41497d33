--- Jobs of a `file:` store: what their files say, and what is made of them when the store is opened again.
local busted = require "busted"
local assert = require "luassert"
local larder = require "larder"
local support = require "support"
local describe, it, before_each, after_each = busted.describe, busted.it, busted.before_each, busted.after_each
local raises, same = support.raises, support.same

local folder, store, now

local function open(more)
  local options = { engine = "file", path = folder, durability = "none", clock = function() return now end }
  for name, value in pairs(more or {}) do options[name] = value end
  store = larder.open(options)
  return store:queue "mail"
end

local function reopen(more)
  store:close()
  return open(more)
end

local function read(name) return support.read_file(folder .. "/queue/mail/" .. name) end

local function files()
  local pipe <close> = assert(io.popen(("unset LD_PRELOAD; cd '%s' && find queue -type f 2>/dev/null | sort"):format(folder)))
  return support.collect(pipe:lines())
end

local function around()
  before_each(function()
    folder, now = support.folder(), 1700000000000
    open()
  end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)
end

local function sound()
  local report = store:verify()
  for _, finding in ipairs(report.findings) do error(finding.kind .. " " .. finding.where .. ": " .. finding.text) end
end

describe("the files of jobs", function()
  around()

  it("are one for each, to be read by people", function()
    local q = store:queue "mail"
    local id = q:enqueue({ to = "ada" }, { priority = 2, tags = { "x" }, key = "k", timeout = 5 })
    same({ ("queue/mail/%d.json"):format(id) }, files())
    assert.are.equal(([[
{
  "id": %d,
  "state": "waiting",
  "attempt": 0,
  "max_attempts": 20,
  "priority": 2,
  "run_at": 1700000000000,
  "enqueued_at": 1700000000000,
  "timeout_ms": 5000,
  "key": "k",
  "tags": [
    "x"
  ],
  "errors": [],
  "data": {
    "to": "ada"
  }
}
]]):format(id), read(id .. ".json"))
  end)

  it("say when one runs, has failed, is over; and go with it, backups too", function()
    local q = store:queue("mail", { keep_done = 0, max_attempts = 2, backoff = 1 })
    local id = q:enqueue "x"
    local job = q:dequeue()
    assert.truthy(read(id .. ".json"):find('"state": "running"', 1, true))
    q:fail(job, "no route")
    assert.truthy(read(id .. ".json"):find('"error": "no route"', 1, true))
    now = now + 2000
    q:fail(q:dequeue(), "again")
    assert.truthy(read(id .. ".json"):find('"state": "dead"', 1, true))
    q:retry(id)
    q:ack(q:dequeue())
    same({}, files())
  end)

  it("have folders of their own for queues of any name", function()
    local names = { "a", "A", "..", "a/b", "\0", ("n"):rep(1000), ("n"):rep(999) .. "m", "con" }
    for i, name in ipairs(names) do store:queue(name):enqueue(i) end
    assert.are.equal(#names, #files())
    reopen()
    for i, name in ipairs(names) do assert.are.equal(i, store:queue(name):dequeue().data) end
    sound()
  end)

  it("take data as deep as documents may be", function()
    local deep = 1
    for _ = 1, 128 do deep = { deep } end
    local q = store:queue "mail"
    q:enqueue(deep)
    store:map("m"):set("k", deep)
    q = reopen()
    same(deep, q:dequeue().data)
    same(deep, store:map("m"):get "k")
  end)
end)

describe("a queue of a file store that is opened again", function()
  around()

  it("has all of it: claims that hold, delays, keys, windows, errors, schedules, options, counts, totals", function()
    local q = store:queue("mail", { lease = 7200, max_attempts = 7, keep_done = 1000, limit = { concurrency = 9 } })
    for i = 1, 6 do q:enqueue({ n = i }, { key = "k" .. i, within = 500, priority = -i }) end
    q:enqueue("late", { delay = 100 })
    q:schedule("hourly", "0 * * * *", "tick")
    q:ack(q:dequeue())
    local held = q:dequeue()
    q:fail(q:dequeue(), "broken", { retry = false })
    local before, stats = q:counts(), q:stats()
    q = reopen()
    same(before, q:counts())
    same(stats, q:stats())
    sound()
    raises("INVALID", "max_attempts = 7", store.queue, store, "mail", { lease = 7200, max_attempts = 8 })
    for i = 1, 6 do
      if i ~= 4 then assert.is_false(select(2, q:enqueue("again", { key = "k" .. i })), i) end
    end
    assert.is_true(q:ack(held))
    same({ { n = 3 }, { n = 2 }, { n = 1 } }, { q:dequeue().data, q:dequeue().data, q:dequeue().data })
    assert.is_nil(q:dequeue())
    now = now + 100000
    assert.are.equal("late", q:dequeue().data)
    now = now + 3600000
    assert.are.equal("tick", q:dequeue().data)
  end)

  it("is paused if it was, and gives out what was running when its lease has ended", function()
    local q = store:queue "mail"
    q:enqueue "a"
    q:dequeue { lease = 10 }
    q:pause()
    q = reopen()
    now = now + 10000
    assert.is_nil(q:dequeue())
    q:resume()
    local job = q:dequeue()
    same({ "a", 2 }, { job.data, job.attempt })
    assert.truthy(q:get(job.id).errors[1].error:find "lease")
  end)

  it("does not use an id twice", function()
    local q, seen = store:queue "mail", {}
    for _ = 1, 5 do
      for _ = 1, 3 do
        local id = q:enqueue "x"
        assert.is_nil(seen[id])
        seen[id] = true
      end
      q = reopen()
    end
    assert.are.equal(15, q:counts().ready)
  end)

  it("knows its statistics only as they were set last when the latest are lost, and all jobs", function()
    local q = store:queue "mail"
    for i = 1, 5 do q:enqueue(i) end
    q:dequeue()
    store:close()
    assert(os.execute(("rm '%s'/.larder/loose/*"):format(folder)))
    q = open()
    local counts = q:counts()
    same({ 4, 1 }, { counts.ready, counts.running })
    assert.are.equal(0, q:stats().claimed)
    sound()
  end)

  it("does not take statistics that are damaged, or from before the options that are set", function()
    local q = store:queue "mail"
    q:enqueue(1)
    store:close()
    local pipe <close> = assert(io.popen(("unset LD_PRELOAD; ls '%s'/.larder/loose/*"):format(folder)))
    local loose = pipe:read "l"
    local old = support.read_file(loose)
    support.write_file(loose, old:sub(1, -2))
    q = open()
    assert.are.equal(1, q:counts().ready)
    q:pause()
    store:close()
    support.write_file(loose, old)
    q = open()
    assert.is_nil(q:dequeue())
    sound()
  end)
end)

--- What has fallen due is ready when the store is opened; else with the next dequeue.
local function counts_of(q)
  local counts = q:counts()
  counts.ready, counts.delayed = counts.ready + counts.delayed, nil
  return counts
end

--- The same operations on a file store that is opened again and again, and on one in memory.
describe("a queue of a file store, at random", function()
  around()

  local operations = {
    function(q, random) return q:enqueue({ n = random(4), x = random(1000) }, { priority = random(3), delay = random(4) - 1 }) and true end,
    function(q, random) return select(2, q:enqueue({ n = 1 }, { key = "k" .. random(5), within = random(50) })) end,
    function(q, random, held)
      local job = q:dequeue { lease = random(20) }
      held[#held + 1] = job
      return job and { job.data, job.attempt, job.priority, job.run_at }
    end,
    function(q, random, held) return #held > 0 and { q:ack(table.remove(held, random(#held))) } end,
    function(q, random, held)
      return #held > 0 and { q:fail(table.remove(held, random(#held)), "e", { retry = random(4) > 1, delay = random(9) }) }
    end,
    function(q, random, held) return #held > 0 and { q:release(table.remove(held, random(#held)), random(3) - 1) } end,
    function(q) return q:prune { state = "dead" } end,
  }

  it("is what it is in memory", function()
    support.at_random(function()
      local memory <close> = larder.open { engine = "memory", clock = function() return now end }
      local options = { max_attempts = 3, keep_done = 40, limit = math.random(2) == 1 and { by = "n", concurrency = 2 } or nil }
      local sides = { { q = store:queue("mail", options), held = {} }, { q = memory:queue("mail", options), held = {} } }
      for _ = 1, 400 do
        if math.random(20) == 1 then sides[1].q = reopen() end
        local operation, seed = operations[math.random(#operations)], math.random(1 << 30)
        local results = {}
        for i, side in ipairs(sides) do
          local state = seed
          local function random(high)
            state = (state * 1103515245 + 12345) % 2147483648
            return state // 65536 % high + 1
          end
          results[i] = { operation(side.q, random, side.held) or false }
        end
        same(results[2], results[1])
        same(counts_of(sides[2].q), counts_of(sides[1].q))
        now = now + math.random(0, 3000)
      end
      sound()
    end)
  end)
end)
