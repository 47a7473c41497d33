-- larder.recover where the file still has what was changed and deleted: the newest states, and what was deleted only from where
-- something is missing.
local larder = require "larder"
local support = require "support"

local PAGE = 4096

describe("larder.recover of a file with old states in free pages", function()
  local folder, path, file, sound, jobs, number

  local function document(i)
    return { id = i, text = ("t"):rep(i % 90), version = 3 }
  end

  --- Jobs and what became of them.
  local function jobs_of(store)
    local list = {}
    for _, state in ipairs { "ready", "delayed", "running", "done", "dead" } do
      for job in store:queue("mail"):each(state) do
        list[#list + 1] = { job.id, state, job.attempt, #(job.errors or {}), job.data.n }
      end
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    return list
  end

  local function work(queue, round)
    for i, job in ipairs(queue:dequeue { n = 7 }) do
      if i == 1 then queue:ack(job) else queue:fail(job, "error " .. round, { delay = 0 }) end
    end
  end

  before_each(function()
    folder, number = support.folder(), 0
    path, file = folder .. "/store", folder .. "/store/data.mdb"
    local now = 1000000000000
    local store <close> = larder.open { url = "lmdb:" .. path .. "?durability=none", clock = function() return now end }
    local plans, queue = store:collection "plans", store:queue("mail", { backoff = 0 })
    for i = 1, 60 do queue:enqueue { n = i } end
    local _ <close> = store:begin "read" -- so that no page is used again
    for version = 1, 3 do
      for first = 1, 600, 100 do
        store:update(function(tx)
          for i = first, first + 99 do tx:collection("plans"):put { id = i, text = ("t"):rep(i % 90), version = version } end
        end)
      end
    end
    for i = 301, 600 do plans:delete(i) end
    for round = 1, 30 do
      work(queue, round)
      now = now + 1000
    end
    jobs = jobs_of(store)
    assert.is_true(#jobs < 40 and jobs[1][4] > 2)
    sound = support.read_file(file)
  end)
  after_each(support.remove_folders)

  --- The new store, closed by the caller, and the report.
  local function recover(bytes)
    number = number + 1
    local to = ("lmdb:%s/new%d?durability=none"):format(folder, number)
    support.write_file(file, bytes)
    local report = larder.recover(path, to)
    assert.is_true(report.ok)
    return larder.open(to), report
  end

  local function flipped(at, bit)
    return sound:sub(1, at) .. string.char(sound:byte(at + 1) ~ (1 << bit)) .. sound:sub(at + 2)
  end

  --- How many of the documents are not as they were, and how many that were deleted are there.
  local function compare(store)
    local wrong, back = 0, 0
    local plans = store:collection "plans"
    for i = 1, 300 do
      local got = plans:get(i)
      if not got or got.version ~= 3 or got.text ~= document(i).text then wrong = wrong + 1 end
    end
    for i = 301, 600 do
      if plans:get(i) then back = back + 1 end
    end
    return wrong, back
  end

  it("takes exactly what a sound file holds", function()
    local store <close>, report = recover(sound)
    support.same({ 0, 0 }, { compare(store) })
    support.same(jobs, jobs_of(store))
    support.same({ 0, 0 }, { report.losses, report.older })
  end)

  it("brings back what was deleted only from around a damaged row", function()
    local at = 0
    repeat -- the newest state of a document, which is that in the page that is furthest behind
      local found = sound:find("\xa7version\x03", at + 1, true)
      at = found or at
    until not found
    local store <close> = recover(flipped(at, 0))
    local wrong, back = compare(store)
    assert.is_true(wrong <= 1 and back <= 2, ("%d wrong, %d came back"):format(wrong, back))
  end)

  it("has the newest states of jobs wherever something else is damaged", function()
    local at = sound:find("\xa7version\x03", 1, true)
    local store <close> = recover(flipped(at, 1))
    support.same(jobs, jobs_of(store))
  end)

  --- Where flags say that a page is a branch, the first bytes of it, and all of the meta pages' that count.
  local function structure()
    local places = {}
    for page = 0, #sound // PAGE - 1 do
      local flags = string.unpack("<I2", sound, page * PAGE + 11)
      if flags & 9 ~= 0 then
        for at = page * PAGE, page * PAGE + 167 do places[#places + 1] = at end
      end
    end
    return places
  end

  it("loses nothing to a flipped bit in what holds the pages together", function()
    local places = structure()
    assert.is_true(#places > 600)
    support.at_random(function()
      for _ = 1, 70 do
        local at, bit = places[math.random(#places)], math.random(0, 7)
        local store <close> = recover(flipped(at, bit))
        assert.are.equal(0, (compare(store)), ("byte %d bit %d"):format(at, bit))
      end
    end)
  end)

  it("loses one row at most to a flipped bit anywhere", function()
    support.at_random(function()
      for _ = 1, 40 do
        local at, bit = math.random(0, #sound - 1), math.random(0, 7)
        local store <close> = recover(flipped(at, bit))
        assert.is_true(compare(store) <= 1, ("byte %d bit %d"):format(at, bit))
      end
    end)
  end)
end)
