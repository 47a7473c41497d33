-- A copy, a load and a dump are killed at each of their system calls that write, and run again: the result is whole, nothing else is left.
-- (copy_crash_spec kills between commits, and fills disks.)
local larder = require "larder"
local port = require "larder_port"
local stocked = require "stocked"
local support = require "support"

-- Whether this machine lets a process trace its child.
local function can_trace()
  if not port.kill_at_write then return false end
  local pid = port.fork()
  if pid == 0 then
    port.trace_me()
    port._exit(0)
  end
  return port.kill_at_write(pid, 1) ~= nil
end

-- Runs f in a child that is killed at its nth write; whether it was.
local function killed(nth, f)
  local pid = port.fork()
  if pid == 0 then
    port.trace_me()
    local ok, problem = pcall(f)
    if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
    port._exit(ok and 0 or 1)
  end
  local was_killed, code = port.kill_at_write(pid, nth)
  assert.is_true(was_killed or code == 0, "the child failed")
  return was_killed
end

describe("killed at any write,", function()
  if not can_trace() then
    return it("everything is whole after a second run", function() pending "no process may be traced here" end)
  end

  local folder, source, text
  before_each(function()
    folder = support.folder()
    source = "lmdb:" .. folder .. "/source?durability=system"
    local store <close> = larder.open(source)
    text = stocked.text(stocked.fill(store))
    store:dump(folder .. "/dump")
  end)
  after_each(support.remove_folders)

  local function check(url)
    local store <close> = larder.open(url)
    stocked.holds(text, store)
    local report = store:verify()
    assert.is_true(report.ok, report.findings[1] and report.findings[1].text)
  end

  -- `first` is killed at each write in turn; `second(url, nth)` then makes it whole. At least so many writes.
  local function at_each(least, first, second)
    local nth, was_killed = 0
    repeat
      nth = nth + 1
      local url = ("lmdb:%s/to-%d?durability=system"):format(folder, nth)
      was_killed = killed(nth, function() first(url) end)
      if was_killed then second(url, nth) end
      check(url)
    until not was_killed
    assert.is_true(nth > least, ("%d writes"):format(nth))
  end

  it("a copy goes on", function()
    local resumed, whole = 0, 0
    at_each(30, function(url) larder.copy(source, url, { batch = 100 }) end, function(url)
      local ok, report = pcall(larder.copy, source, url, { batch = 100 })
      if not ok then
        assert.truthy(report.code == "EXISTS" and report.message:find "not empty", tostring(report))
        whole = whole + 1 -- it had ended, all but in name
      elseif report.resumed then
        resumed = resumed + 1
      end
    end)
    assert.is_true(resumed > 10 and whole < 3)
  end)

  it("what a copy was to replace is there, or all of the copy", function()
    local kept = 0
    at_each(10, function(url)
      local store <close> = larder.open(url)
      if not store:map("mine"):get "k" then
        store:update(function(tx) tx:map("mine"):set("k", 1) end)
      end
      larder.copy(source, store, { overwrite = true, batch = 100 })
    end, function(url)
      local store <close> = larder.open(url)
      local now = stocked.text(store)
      assert.is_true(now == text or now == "" or store:map("mine"):get "k" == 1, now)
      if now ~= text then kept = kept + 1 end
      store:close()
      larder.copy(source, url, { overwrite = true })
    end)
    assert.is_true(kept > 8)
  end)

  it("a load in one transaction left nothing, or all", function()
    at_each(10, function(url) larder.load(folder .. "/dump", url) end, function(url)
      do
        local store <close> = larder.open(url)
        if stocked.text(store) == text then return end
        assert.are.equal("", stocked.text(store))
      end
      larder.load(folder .. "/dump", url)
    end)
  end)

  it("a load in batches goes on", function()
    local resumed = 0
    at_each(20, function(url) larder.load(folder .. "/dump", url, { batch = 40 }) end, function(url)
      do
        local store <close> = larder.open(url)
        if stocked.text(store) == text and store:verify().ok then return end
      end
      local first
      larder.load(folder .. "/dump", url, { batch = 40, progress = function(records) first = first or records end })
      if first > 40 then resumed = resumed + 1 end
    end)
    assert.is_true(resumed > 8)
  end)

  -- `path` is not there, or holds "old"; in the end the dump is there, and nothing beside it.
  local function dump_at_each(name, old, options)
    local work = support.folder()
    local path = work .. "/" .. name
    local nth, gone = 0, 0
    repeat
      nth = nth + 1
      os.remove(path)
      if old then support.write_file(path, old) end
      local was_killed = killed(nth, function()
        local store <close> = larder.open(source)
        store:dump(path, options)
      end)
      local file = io.open(path)
      local found = file and file:read "a"
      if file then file:close() end
      if found == old then gone = gone + 1 end
      assert.is_true(found == old or #found > 1000)
      local store <close> = larder.open(source)
      store:dump(path, { overwrite = true })
      assert.are.equal(name .. "\n", io.popen(("ls -A '%s'"):format(work)):read "a")
      local loaded <close> = larder.open "memory:"
      larder.load(path, loaded)
      stocked.holds(text, loaded)
    until not was_killed
    assert.is_true(nth > 2 and gone > 1)
  end

  it("a dump is not there, or whole", function() dump_at_each("d.jsonl", nil, {}) end)
  it("a dump leaves what it was to replace, or replaces it", function() dump_at_each("d.jsonl", "old", { overwrite = true }) end)
end)
