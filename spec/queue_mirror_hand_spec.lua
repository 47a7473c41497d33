--- Jobs of a `file:` store whose files somebody else has written, or removed.
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
local function write(name, text) return support.write_file(folder .. "/queue/mail/" .. name, text) end

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

describe("files of jobs that a person has written", function()
  around()

  it("are jobs, with what is left out as usual", function()
    store:queue("mail"):enqueue "first"
    store:close()
    write("by hand.json", '{"id": 900000, "key": "k", "data": {"to": "bob"}}')
    local q = open()
    local job = q:get(900000)
    same({ "ready", 20, 0, { to = "bob" } }, { job.state, job.max_attempts, job.priority, job.data })
    same({ 900000, false }, { q:enqueue("x", { key = "k" }) })
    assert.is_true(q:enqueue "next" > 900000)
    same({ "first" }, { q:dequeue { n = 3 }[2].data })
    sound()
  end)

  it("are refused with what is wrong", function()
    store:queue("mail"):enqueue "first"
    store:close()
    for text, what in pairs {
      ['{"data": 1}'] = "id: expected a whole number from 1",
      ['{"id": 0, "data": 1}'] = "id: expected",
      ['{"id": 9}'] = "data: expected a value",
      ['{"id": 9, "data": 1, "state": "going"}'] = "state: expected waiting, running, done, dead or cancelled",
      ['{"id": 9, "data": 1, "priority": 1.5}'] = "priority: expected",
      ['{"id": 9, "data": 1, "run_at": -1}'] = "run_at: expected",
      ['{"id": 9, "data": 1, "max_attempts": 0}'] = "max_attempts: expected",
      ['{"id": 9, "data": 1, "key": 7}'] = "key: expected",
      ['{"id": 9, "data": 1, "tags": [7]}'] = "tags: expected a list of strings",
      ['{"id": 9, "data": 1, "errors": {}}'] = "errors: expected",
      ['{"id": 9, "data": 1, "claim": {"token": 1}}'] = "attempt: expected",
      ['{"id": 9, "data": 1, "claim": {"token": 1, "attempt": 1, "cancelled": 1}}'] = "cancelled: expected",
      ["[]"] = "id: expected",
      ["{"] = "line 1",
    } do
      write("9.json", text)
      raises("CORRUPT", { "queue/mail/9.json", what }, open)
      local q = open { damaged = "skip" }
      assert.are.equal(1, q:counts().ready)
      store:close()
    end
    os.remove(folder .. "/queue/mail/9.json")
    open()
  end)

  it("may clash: one id, one key", function()
    local q = store:queue "mail"
    local id = q:enqueue("a", { key = "k" })
    store:close()
    write("x.json", ('{"id": %d, "data": 1}'):format(id))
    write("y.json", '{"id": 99999, "key": "k", "data": 1}')
    raises("CORRUPT", { "2 damaged", "x.json", "in another file", "y.json", ('the key "k" is that of job %d'):format(id) }, open)
    q = open { damaged = "skip" }
    assert.are.equal(1, q:counts().ready)
    os.remove(folder .. "/queue/mail/x.json")
    os.remove(folder .. "/queue/mail/y.json")
    sound()
  end)

  it("may be gone: so is the job, and its key is free", function()
    local q = store:queue "mail"
    local id = q:enqueue("a", { key = "k" })
    q:dequeue()
    store:close()
    assert(os.execute(("rm '%s'/queue/mail/*"):format(folder)))
    q = open()
    assert.is_nil(q:get(id))
    assert.are.equal(0, q:counts().running)
    assert.is_true(select(2, q:enqueue("b", { key = "k" })))
    sound()
    q = reopen()
    assert.are.equal("b", q:dequeue().data)
  end)

  it("are not overwritten while the store is open", function()
    local q = store:queue "mail"
    local id = q:enqueue "a"
    write(id .. ".json", "mine")
    raises("CONFLICT", ("queue/mail/%d.json"):format(id), q.dequeue, q)
    assert.are.equal("mine", read(id .. ".json"))
    assert.are.equal(1, q:counts().ready)
  end)
end)
