-- A recovery is killed wherever it tells how far it is, or its disk is full: the second run goes on, and comes to what one run comes to.
local larder = require "larder"
local port = require "larder_port"
local raw = require "raw_rows"
local support = require "support"

local PAGE = 4096

describe("a recovery that is broken off", function()
  local folder, source, expected

  local function document(i)
    return { id = i, email = "m" .. i, text = ("t"):rep(i % 700) }
  end

  --- The page that has these bytes in its nodes, not in what is free of it.
  local function page_of(data, bytes)
    local at = 0
    repeat
      at = data:find(bytes, at + 1, true)
      local page = (at - 1) // PAGE
      local upper = string.unpack("<I2", data, page * PAGE + 15)
    until (at - 1) % PAGE >= upper
    return (at - 1) // PAGE
  end

  --- Damaged: a page is gone, a row differs, two documents clash in a unique index, ratings have no room.
  local function make_source()
    source = folder .. "/damaged"
    do
      local store <close> = larder.open { engine = "lmdb", path = source, durability = "none" }
      store:update(function(tx)
        local users = tx:collection("users", { indexes = { { "email", unique = true }, "text" } })
        for i = 1, 2500 do users:put(document(i)) end
        for i = 1, 2000 do tx:map("seen"):set(i, ("v"):rep(i % 300)) end
        for i = 1, 50 do tx:queue("mail"):enqueue { n = i } end
        tx:rooms():save { roomName = "lobby" }
      end)
    end
    raw.write(source, function(rows)
      rows.put(raw.key("rating", 4321, "m"), "\x90")
      rows.put(raw.key("document", "users", 2), "\x82\xa2id\2\xa5email\xa2m1", 1 << 40)
      rows.spoil(raw.key("map", "seen", 77))
    end)
    local data = support.read_file(source .. "/data.mdb")
    local gone = page_of(data, "\xa5email\xa5m2222")
    support.write_file(source .. "/data.mdb", data:sub(1, gone * PAGE) .. ("\0"):rep(PAGE) .. data:sub((gone + 1) * PAGE + 1))
  end

  --- What came out of it, without revisions.
  local function outcome(url, report)
    local store <close> = larder.open(url)
    local found = { losses = {}, documents = 0, keys = store:map("seen"):count(), jobs = store:queue("mail"):counts(),
      indexes = #store:collection("users"):indexes(), ok = store:verify().ok and report.ok, rows = report.rows }
    for user in store:collection("users"):each() do
      if user.id ~= 2 then support.same(document(user.id), user) end
      found.documents = found.documents + 1
    end
    for i, loss in ipairs(report.lost) do found.losses[i] = loss.where .. ": " .. loss.text end
    table.sort(found.losses)
    return found
  end

  before_each(function()
    folder = support.folder()
    make_source()
    local url = "lmdb:" .. folder .. "/whole"
    local report = larder.recover(source, url)
    assert.is_false(report.resumed)
    expected = outcome(url, report)
    assert.is_true(expected.ok and expected.documents < 2500 and expected.documents > 2300)
    assert.are.equal(1, expected.indexes) -- the one in which documents clash went
    assert.is_true(#expected.losses >= 5)
  end)
  after_each(support.remove_folders)

  --- Recover in a child that kills itself the nth time that it tells how far it is.
  local function killed(nth, url)
    local pid = port.fork()
    if pid == 0 then
      local count = 0
      local ok, problem = pcall(larder.recover, source, url, { progress = function()
        count = count + 1
        if count == nth then port.kill(port.getpid(), 9) end
      end })
      if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
      port._exit(ok and 0 or 1)
    end
    local _, how, code = port.waitpid(pid)
    assert.is_true(how == "killed" and code == 9 or how == "exited" and code == 0, how .. " " .. tostring(code))
    return how == "killed"
  end

  it("goes on in the second run, and loses nothing of what it has to tell", function()
    local nth, resumed, last = 0, 0, false
    repeat
      nth = nth + 1
      local url = ("lmdb:%s/new%d?durability=none"):format(folder, nth)
      local was_killed = killed(nth, url)
      if was_killed then
        local report = larder.recover(source, url)
        if report.resumed then resumed = resumed + 1 end
        assert.is_true(report.resumed or not last, "step " .. nth)
        last = report.resumed
        support.same(expected, outcome(url, report))
      end
      os.execute(("rm -rf '%s/new%d'"):format(folder, nth))
    until not was_killed
    assert.is_true(nth > 15 and resumed > 10, ("%d steps, %d resumed"):format(nth, resumed))
  end)

  it("is told by verify, and takes neither another store nor a change", function()
    local function begun(name)
      local url = "lmdb:" .. folder .. "/" .. name
      local rows = 0
      pcall(larder.recover, source, url, { progress = function()
        local now = port.file_size(folder .. "/" .. name .. "/data.mdb")
        rows = rows + (now > 200000 and 1 or 0)
        if rows > 1 then error "enough" end
      end })
      return url
    end
    local url = begun "part"
    do
      local store <close> = larder.open(url)
      local findings = store:verify().findings
      assert.are.equal("unfinished", findings[1].kind)
      assert.truthy(findings[1].text:find("a recovery into this store has not ended", 1, true))
      assert.is_true(store:stats().entries > 100)
    end
    os.execute(("cp -r '%s' '%s/other'"):format(source, folder))
    support.raises("INVALID", "recovered from another file", larder.recover, folder .. "/other", url)
    do
      local store <close> = larder.open(url)
      store:map("mine"):set("k", 1)
    end
    support.raises("INVALID", "was written to since", larder.recover, source, url)
    support.raises("EXISTS", "", larder.copy, "lmdb:" .. folder .. "/whole", url)
  end)

  it("says that the disk is full, and goes on once it is not", function()
    local url = "lmdb:" .. folder .. "/full"
    local whole = port.file_size(folder .. "/whole/data.mdb")
    for _, part in ipairs { 0.1, 0.5, 0.9 } do
      local pid = port.fork()
      if pid == 0 then
        port.ignore_sigxfsz()
        port.setrlimit_fsize(math.floor(whole * part))
        local ok, problem = pcall(larder.recover, source, url)
        port._exit(not ok and (problem.code == "FULL" or problem.code == "IO") and 0 or 1)
      end
      local _, how, code = port.waitpid(pid)
      support.same({ "exited", 0 }, { how, code })
    end
    local report = larder.recover(source, url)
    assert.is_true(report.resumed)
    support.same(expected, outcome(url, report))
  end)
end)
