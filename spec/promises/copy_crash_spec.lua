-- A copy or a load is killed between any two of its commits: the second run goes on, and the result is whole.
local larder = require "larder"
local port = require "larder_port"
local stocked = require "stocked"
local support = require "support"

-- Runs f in a child that kills itself the nth time that `step` is called; true when it was killed, false when f came to its end.
local function killed(nth, f)
  local pid = port.fork()
  if pid == 0 then
    local count = 0
    local ok, problem = pcall(f, function()
      count = count + 1
      if count == nth then port.kill(port.getpid(), 9) end
    end)
    if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
    port._exit(ok and 0 or 1)
  end
  local _, how, code = port.waitpid(pid)
  assert.is_true(how == "killed" and code == 9 or how == "exited" and code == 0, how .. " " .. tostring(code))
  return how == "killed"
end

describe("a copy that is killed", function()
  local source, text, folder
  before_each(function()
    folder = support.folder()
    source = "lmdb:" .. folder .. "/source?durability=none"
    local store <close> = larder.open(source)
    text = stocked.text(stocked.fill(store))
  end)
  after_each(support.remove_folders)

  local function check(url)
    local store <close> = larder.open(url)
    stocked.holds(text, store)
    for _, index in ipairs(store:collection("plans"):indexes()) do assert.is_true(index.ready) end
    assert.are.equal(15, #store:collection("plans"):find { where = { status = "s1" } })
  end

  local function is_whole(url)
    local store <close> = larder.open(url)
    return stocked.text(store) == text
  end

  for _, batch in ipairs { 15, 60 } do
    it(("goes on in the second run, killed after any batch of %d rows"):format(batch), function()
      local nth, was_killed = 0
      repeat
        nth = nth + 1
        local url = ("lmdb:%s/copy-%d?durability=system"):format(folder, nth)
        was_killed = killed(nth, function(step) larder.copy(source, url, { batch = batch, progress = step }) end)
        if was_killed then assert.is_true(larder.copy(source, url, { batch = batch }).resumed) end
        check(url)
      until not was_killed
      assert.is_true(nth > 4)
    end)
  end

  it("leaves what was there, while it was to be replaced", function()
    local nth, was_killed = 0
    local url = "lmdb:" .. folder .. "/target"
    larder.open(url):map("mine"):set("k", 1)
    repeat
      nth = nth + 1
      was_killed = killed(nth, function(step) larder.copy(source, url, { batch = 60, overwrite = true, progress = step }) end)
      local store <close> = larder.open(url)
      if was_killed then assert.are.equal(1, store:map("mine"):get "k") end
    until not was_killed
    assert.is_true(nth > 3)
    check(url)
  end)

  it("as a load goes on in the second run, and only with the same dump", function()
    local path, other = folder .. "/dump", folder .. "/other"
    do
      local store <close> = larder.open(source)
      store:dump(path)
      store:map("seen"):set("one", "more")
      store:dump(other)
    end
    local nth, was_killed = 0
    repeat
      nth = nth + 1
      local url = ("lmdb:%s/load-%d?durability=system"):format(folder, nth)
      was_killed = killed(nth, function(step) larder.load(path, url, { batch = 20, progress = step }) end)
      if was_killed and is_whole(url) then
        support.raises("EXISTS", "not empty", larder.load, path, url, { batch = 20 })
      elseif was_killed then
        support.raises("EXISTS", "another dump", larder.load, other, url, { batch = 20 })
        local seen
        larder.load(path, url, { batch = 20, progress = function(done) seen = seen or done end })
        assert.is_true(seen >= math.min(20 * nth, 100))
      end
      check(url)
    until not was_killed
    assert.is_true(nth > 4)
  end)

  it("as a load in one transaction leaves nothing", function()
    local path = folder .. "/dump"
    do
      local store <close> = larder.open(source)
      store:dump(path)
    end
    local url = "lmdb:" .. folder .. "/load"
    assert.is_true(killed(1, function(step) larder.load(path, url, { progress = step }) end))
    do
      local store <close> = larder.open(url)
      assert.are.equal("", stocked.text(store))
    end
    larder.load(path, url)
    check(url)
  end)
end)

describe("a damaged row", function()
  after_each(support.remove_folders)

  it("is named by a copy and by a dump, and neither is made", function()
    local folder = support.folder()
    local path = folder .. "/store"
    do
      local store <close> = larder.open("lmdb:" .. path)
      for i = 1, 50 do store:map("seen"):set(i, ("value-%03d-"):format(i):rep(20)) end
    end
    local bytes = support.read_file(path .. "/data.mdb")
    local damaged, count = bytes:gsub("value%-031%-", "value-0X1-") -- in free pages, too
    assert.is_true(count >= 20)
    support.write_file(path .. "/data.mdb", damaged)
    local store <close> = larder.open("lmdb:" .. path .. "?check_on_open=0")
    local target <close> = larder.open "memory:"
    support.raises("CORRUPT", { "the source", "seen", "checksum" }, larder.copy, store, target)
    support.raises("CORRUPT", { "seen", "checksum" }, store.dump, store, folder .. "/dump")
    assert.is_nil(io.open(folder .. "/dump"))
  end)
end)
