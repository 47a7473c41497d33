-- store:verify of queues: each kind of damage, made by writing raw rows, is found and named; what follows from the jobs is put
-- right; sound queues have none.
local damages = require "queue_damages"
local larder = require "larder"
local raw = require "raw_rows"
local support = require "support"

local NOW = 1700000000000

local function clock() return NOW end

-- One job in every state, and every kind of row.
local function fill(store)
  local s = { now = NOW }
  local mail = store:queue("mail", { keep_done = 3600 })
  s.dead = mail:enqueue "dead"
  mail:fail(mail:dequeue(), "broken", { retry = false })
  s.done = mail:enqueue("done", { key = "windowed", within = 600 })
  mail:ack(mail:dequeue())
  mail:cancel((mail:enqueue "cancelled"))
  s.running = mail:enqueue "running"
  s.held = mail:dequeue()
  s.first = mail:enqueue("first", { priority = -1 })
  s.lane = mail:enqueue "lane"
  s.keyed = mail:enqueue("keyed", { key = "k" })
  mail:enqueue "last"
  s.delayed = mail:enqueue("delayed", { delay = 60 })
  mail:schedule("nightly", { cron = "0 3 * * *" }, "x")
  local sms = store:queue("sms", { limit = { concurrency = 1, by = "to" } })
  s.runs = sms:enqueue { to = "a" }
  sms:dequeue()
  s.waits = sms:enqueue { to = "a" }
  s.head = sms:enqueue { to = 7 }
  sms:enqueue { to = ("long"):rep(100) }
  sms:enqueue { to = {} }
  local slow = store:queue("slow", { limit = { rate = 1, per = 60, by = "to" } })
  slow:enqueue { to = "a" }
  slow:enqueue { to = "a" }
  slow:dequeue()
  return s
end

local function number_of(rows, name)
  local number = rows.payload(raw.key("queue", name)):byte(1)
  assert(number < 128)
  return number
end

local function listed(report)
  local lines = {}
  for _, f in ipairs(report.findings) do lines[#lines + 1] = ("%s | %s | %s"):format(f.kind, f.where, f.text) end
  return table.concat(lines, "\n")
end

local function has(report, kind, where, text)
  for _, f in ipairs(report.findings) do
    if f.kind == kind and f.where:find(where, 1, true) and f.text:find(text, 1, true) then return true end
  end
  return false
end

describe("a damaged queue", function()
  local path, s

  local function open()
    return larder.open { engine = "lmdb", path = path, durability = "none", check_on_open = 0, clock = clock }
  end

  before_each(function()
    path = support.folder() .. "/store"
    do
      local store <close> = open()
      s = fill(store)
    end
    raw.write(path, function(rows)
      for _, name in ipairs { "mail", "sms", "slow" } do s[name] = number_of(rows, name) end
      s.window = assert(rows.first(raw.key("job", s.mail, 8)))
    end)
  end)
  after_each(support.remove_folders)

  local function damage(work)
    raw.write(path, function(rows) work(rows, s) end)
  end

  it("is none before", function()
    local store <close> = open()
    local report = store:verify()
    assert.are.equal("", listed(report))
    support.same({ 3, 16 }, { report.queues, report.jobs })
  end)

  for _, one in ipairs(damages) do
    local name, work, kind, where, text, mended = table.unpack(one, 1, 6)
    it("tells " .. name, function()
      damage(work)
      local store <close> = open()
      local report = store:verify()
      assert.is_true(has(report, kind, where(s), text),
        ("expected %s | %s | %s in\n%s"):format(kind, where(s), text, listed(report)))
      report = store:verify { repair = "indexes" }
      assert.are.equal(mended ~= false, report.ok, listed(report))
      assert.is_true(#report.repaired <= 1)
    end)
  end

  -- All that is not a job, a key, a schedule or a claim.
  local function wreck(rows)
    for _, name in ipairs { "mail", "sms", "slow" } do
      for _, kind in ipairs { 2, 5, 6, 8, 10, 11, 12 } do
        local prefix = raw.key("job", s[name], kind)
        while true do
          local found = rows.first(prefix)
          if not found then break end
          rows.delete(found)
        end
      end
    end
  end

  it("works again after repair: jobs in their order, claims held, keys taken", function()
    damage(wreck)
    local now = NOW
    local store <close> = larder.open { engine = "lmdb", path = path, durability = "none", check_on_open = 0,
      clock = function() return now end }
    local report = store:verify { repair = "indexes" }
    assert.are.equal("", listed(report))
    support.same({ { what = 'states and counts of queue "mail"', ok = true },
      { what = 'states and counts of queue "slow"', ok = true }, { what = 'states and counts of queue "sms"', ok = true } },
      report.repaired)
    local mail, sms = store:queue "mail", store:queue "sms"
    support.same({ delayed = 1, ready = 4, running = 1, done = 1, dead = 1, cancelled = 1 }, mail:counts())
    assert.are.equal(s.keyed, (mail:enqueue("again", { key = "k" })))
    assert.are.equal(s.done, (mail:enqueue("again", { key = "windowed" })))
    for _, data in ipairs { "first", "lane", "keyed", "last" } do
      local job = mail:dequeue()
      assert.are.equal(data, job.data)
      mail:ack(job)
    end
    assert.is_nil(mail:dequeue())
    assert.is_true(mail:ack(s.held))
    now = now + 60000
    assert.are.equal("delayed", mail:dequeue().data)
    assert.is_true(mail:retry(s.dead))
    assert.are.equal("dead", mail:dequeue().data)
    local ran = {}
    for job in function() return sms:dequeue() end do ran[job.id] = true end
    assert.is_nil(ran[s.waits])
    assert.is_true(ran[s.head])
    now = now + 86400000 * 2
    local ticks = 0
    for job in function() return mail:dequeue() end do ticks = ticks + (job.data == "x" and 1 or 0) end
    assert.are.equal(1, ticks)
    assert.are.equal("", listed(store:verify()))
  end)

  it("stays as it is when two jobs have one key", function()
    damage(function(rows)
      local first = raw.key("job", s.mail, 4, s.first)
      local payload, count = rows.payload(first):gsub("%z%z%z%z(.-\xa5first)", "\0\0\1k\0%1", 1)
      assert(count == 1)
      rows.put(first, payload, 0)
    end)
    local store <close> = open()
    local before = listed(store:verify())
    assert.truthy(before:find 'its key "k" is job', before)
    local report = store:verify { repair = "indexes" }
    assert.are.equal(before, listed(report))
    assert.truthy(report.repaired[1].text:find 'have the key "k"', report.repaired[1].text)
  end)

  it("is saved by larder.recover", function()
    local saved = larder.recover(path, support.folder() .. "/saved")
    assert.are.equal("", listed(saved.verify))
    support.same({ 3, 16 }, { saved.verify.queues, saved.verify.jobs })
  end)
end)

support.on_each_engine("store:verify of queues", function(given)
  it("finds nothing while jobs come and go, with long names", function()
    local now = NOW
    local store = given.open { clock = function() return now end }
    for _, name in ipairs { "q", "q\0", ("q"):rep(600), ("q"):rep(600) .. "\0" } do
      local queue = store:queue(name, { max_attempts = 2, limit = #name > 1 and { by = "g", rate = 2, concurrency = 2 } or nil })
      for i = 1, 40 do
        queue:enqueue({ g = i % 3 == 0 and ("g"):rep(i * 10) or i % 2 }, { key = ("k"):rep(i * 20), within = i * 10, delay = i % 4 })
        local job = i % 2 == 0 and queue:dequeue()
        if job and i % 3 == 0 then queue:fail(job, "no") elseif job and i % 4 == 0 then queue:ack(job) end
        now = now + 700
      end
      queue:schedule(("s"):rep(900), { every = 10 }, {})
      local report = store:verify()
      assert.are.equal("", listed(report))
    end
  end)
end)
