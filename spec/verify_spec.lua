-- store:verify: each kind of damage, made by writing raw rows, is found and named; a sound store has none.
local damages = require "damages"
local larder = require "larder"
local raw = require "raw_rows"
local support = require "support"

local function fill(store)
  store:update(function(tx)
    local plans = tx:collection("plans", {
      indexes = { "status", { "email", unique = true, sparse = true }, { "tags" }, { "-n", "status" } } })
    for i = 1, 20 do
      plans:put{ id = i, status = i % 2 == 0 and "o" or "c", email = "m" .. i, n = i, tags = { "a", "b" .. i } }
    end
    tx:collection("people"):put{ id = "ada" }
    for i = 1, 3 do
      tx:rooms():save{ roomName = "room " .. i, password = "p" }
      tx:rooms():rate("room " .. i, "ada", "m1", "like")
    end
    for i = 1, 10 do tx:map("seen"):set({ "k", i }, i) end
  end)
end

local function has(report, kind, where, text)
  for _, finding in ipairs(report.findings) do
    if finding.kind == kind and finding.where:find(where, 1, true) and finding.text:find(text, 1, true) then return true end
  end
  return false
end

local function listed(report)
  local lines = {}
  for _, f in ipairs(report.findings) do lines[#lines + 1] = ("%s | %s | %s"):format(f.kind, f.where, f.text) end
  return table.concat(lines, "\n")
end

describe("a damaged store", function()
  local path, numbers

  before_each(function()
    path = support.folder() .. "/store"
    do
      local store <close> = larder.open{ engine = "lmdb", path = path, durability = "none" }
      fill(store)
    end
    numbers = raw.index_numbers(path, "plans")
  end)
  after_each(support.remove_folders)

  local function verify(options)
    local store <close> = larder.open{ engine = "lmdb", path = path, durability = "none", check_on_open = 0 }
    return store:verify(options)
  end

  it("is none before", function()
    local report = verify()
    assert.are.equal("", listed(report))
    assert.is_true(report.ok)
  end)

  for _, damage in ipairs(damages) do
    local name, work, kind, where, text = table.unpack(damage)
    it("tells " .. name, function()
      raw.write(path, function(rows) work(rows, numbers) end)
      local report = verify()
      assert.is_true(has(report, kind, where, text), ("expected %s | %s | %s in\n%s"):format(kind, where, text, listed(report)))
      assert.is_false(report.ok)
      assert.is_true(report.readable)
      assert.are.equal(#report.findings, report.found)
    end)
  end

  it("does not stop at the first", function()
    raw.write(path, function(rows)
      rows.spoil(raw.key("document", "plans", 7))
      rows.put("\xf0abc", "\xc0")
      rows.put(raw.key("map", "seen"), "\9")
      rows.put(raw.key("rating", 4321, "m"), "\x90")
    end)
    local report = verify()
    assert.is_true(has(report, "row", "document 7", "checksum"), listed(report))
    assert.is_true(has(report, "space", "", "0xf0"), listed(report))
    assert.is_true(has(report, "count", 'map "seen"', ""), listed(report))
    assert.is_true(has(report, "rating", "4321", ""), listed(report))
    assert.are.equal(4, report.found)
  end)

  it("lists a thousand findings, and counts all", function()
    raw.write(path, function(rows)
      for i = 1, 1500 do rows.put(raw.key(0xf0, i), "\xc0") end
    end)
    local report = verify()
    assert.are.equal(1000, #report.findings)
    assert.are.equal(1500, report.found)
  end)

  it("tells damaged pages, and does not read the rows then", function()
    local file = path .. "/data.mdb"
    local bytes = support.read_file(file)
    local found = 0
    for page = 2, #bytes // 4096 - 1 do -- the number of each page in its head
      support.write_file(file, bytes:sub(1, page * 4096) .. "\xff" .. bytes:sub(page * 4096 + 2))
      local report = verify()
      assert.are.equal(report.readable, report.ok)
      if not report.readable then
        found = found + 1
        assert.are.equal("page", report.findings[1].kind)
        assert.are.equal(0, report.rows)
      end
    end
    assert.is_true(found > 3)
  end)
end)

support.on_each_engine("store:verify", function(given)
  it("finds nothing in a sound store, and counts what is there", function()
    fill(given.store)
    local report = given.store:verify()
    assert.are.equal("", listed(report))
    assert.is_true(report.ok)
    assert.are.equal(3, report.rooms)
    assert.are.equal(21, report.documents)
    assert.are.equal(10, report.keys)
    assert.are.equal(20 * (1 + 1 + 2 + 1), report.entries)
    support.same({ { name = "people", documents = 1, indexes = 0 }, { name = "plans", documents = 20, indexes = 4 } },
      report.collections)
  end)

  it("finds nothing in an empty store", function()
    local report = given.store:verify()
    assert.is_true(report.ok)
    support.none(report.findings)
  end)

  it("keeps names apart of which one begins with the other, and long ones", function()
    given.store:update(function(tx)
      for _, name in ipairs{ "a", "a\0", "a\0b", ("n"):rep(600), ("n"):rep(600) .. "\0", ("n"):rep(493), ("n"):rep(494) } do
        local collection = tx:collection(name, { indexes = { "x" } })
        for i = 1, 20 do collection:put{ id = i, x = ("x"):rep(i * 40) } end
        for i = 1, 20 do collection:put{ id = ("i"):rep(500) .. i, x = { i, "y" } } end
        for i = 1, 20 do tx:map(name):set({ ("k"):rep(i * 40), i }, i) end
        tx:rooms():save{ roomName = name, ratings = { [("m"):rep(600)] = { { "u", "like", 1 } } }, userProgress = { u = 1 } }
      end
    end)
    local report = given.store:verify()
    assert.are.equal("", listed(report))
    assert.are.equal(7 * 40, report.documents)
    assert.are.equal(7 * 20, report.keys)
  end)

  it("calls progress up to the end", function()
    for i = 1, 3000 do given.store:map("m"):set(i, i) end
    local last, final = -1, nil
    given.store:verify{ progress = function(done, total)
      assert(done >= last and done <= total)
      last, final = done, total
    end }
    assert.are.equal(final, last)
    assert.is_true(final > 3000)
  end)

  it("survives a collector that runs all the time", function()
    fill(given.store)
    support.with_constant_collection(function()
      local report = given.store:verify{ progress = function() return {} end, repair = "indexes" }
      assert.are.equal(21, report.documents)
    end)
  end)

  it("passes on what progress raises, and can be used again", function()
    local raised = {}
    local ok, got = pcall(given.store.verify, given.store, { progress = function() error(raised) end })
    assert.is_false(ok)
    assert.are.equal(raised, got)
    assert.is_true(given.store:verify().ok)
  end)

  it("does not let progress use the store", function()
    support.raises("MISUSE", "", given.store.verify, given.store, { progress = function() given.store:map "m":count() end })
  end)

  it("refuses what it does not know", function()
    support.raises("INVALID", "repair", given.store.verify, given.store, { repair = "rooms" })
    support.raises("INVALID", "progress", given.store.verify, given.store, { progres = print })
    support.raises("INVALID", "progress", given.store.verify, given.store, { progress = 5 })
    given.store:close()
    support.raises("CLOSED", "", given.store.verify, given.store)
  end)
end)
