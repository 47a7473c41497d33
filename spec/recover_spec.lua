-- larder.recover: damaged files, and what comes out of them, compared to what was there.
local larder = require "larder"
local port = require "larder_port"
local raw = require "raw_rows"
local support = require "support"

local PAGE = 4096

local function document(i)
  return { id = i, status = i % 2 == 0 and "open" or "closed", tags = { "a", "b" .. i }, text = ("t"):rep(i % 20 == 0 and 9000 or i % 50) }
end

local function room(i)
  return { roomName = "room " .. i, password = "p",
    ratings = { ["m" .. i] = { { "ada", "like", i }, { "grace", "dislike", i } } }, userProgress = { ada = i } }
end

local function fill(path)
  local store <close> = larder.open{ engine = "lmdb", path = path, durability = "none" }
  local plans = store:collection("plans", { indexes = { "status", { "tags" } } })
  store:update(function(tx)
    for i = 1, 200 do tx:collection "plans":put(document(i)) end
    for i = 1, 20 do tx:rooms():save(room(i)) end
    for i = 1, 200 do tx:map "seen":set({ "k", i }, ("v"):rep(i)) end
    tx:collection(("long"):rep(200)):put{ id = ("i"):rep(900), n = 1 }
  end)
  for i = 1, 200, 10 do plans:put(document(i)) end -- so that there are older states
end

--- How much of it is in a store; what is there must be right.
local function count(store)
  local found = { plans = 0, rooms = 0, keys = 0, long = 0 }
  for plan in store:collection "plans":each() do
    support.same(document(plan.id), plan)
    found.plans = found.plans + 1
  end
  for name in store:rooms():names() do
    local got = store:rooms():get(name)
    local expected = room(math.tointeger(tonumber(name:match "%d+")))
    if got.ratings and next(got.ratings) then support.same(expected.ratings, got.ratings) end
    found.rooms = found.rooms + 1
  end
  for k, value in store:map "seen":range() do
    assert.are.equal(("v"):rep(k[2]), value)
    found.keys = found.keys + 1
  end
  found.long = store:collection(("long"):rep(200)):count()
  return found
end

local whole = { plans = 200, rooms = 20, keys = 200, long = 1 }

describe("larder.recover", function()
  local folder, path, file, sound

  before_each(function()
    folder = support.folder()
    path, file = folder .. "/store", folder .. "/store/data.mdb"
    fill(path)
    sound = support.read_file(file)
  end)
  after_each(support.remove_folders)

  local number = 0

  --- Recover from these bytes; what came out, the report. The damaged file stays as it is.
  local function recover(bytes, to)
    number = number + 1
    support.write_file(file, bytes)
    to = to or { engine = "lmdb", path = folder .. "/new" .. number, durability = "none" }
    local report = larder.recover(path, to)
    assert.is_true(support.read_file(file) == bytes)
    if to.engine ~= "lmdb" then return nil, report end
    local store <close> = larder.open(to)
    assert.is_true(store:verify().ok)
    return count(store), report
  end

  local function zero(bytes, page)
    return bytes:sub(1, page * PAGE) .. ("\0"):rep(PAGE) .. bytes:sub((page + 1) * PAGE + 1)
  end

  it("takes over all of a sound store", function()
    local found, report = recover(sound)
    support.same(whole, found)
    assert.is_true(report.ok)
    support.none(report.lost)
    assert.are.equal(0, report.losses)
    assert.are.equal(20, report.rooms)
    assert.truthy(report.note:find "come back")
  end)

  it("builds the indexes anew", function()
    recover(sound, { engine = "lmdb", path = folder .. "/new", durability = "none" })
    local store <close> = larder.open("lmdb:" .. folder .. "/new")
    local plans = store:collection "plans"
    assert.are.equal(100, #plans:find{ where = { status = "open" } })
    assert.are.equal("status", plans:explain{ where = { status = "open" } }.index)
    plans:put{ id = 1000, status = "new" }
    assert.is_true(store:verify().ok)
  end)

  it("needs no meta page", function()
    support.same(whole, (recover(zero(zero(sound, 0), 1))))
    support.same(whole, (recover(zero(sound, 0))))
    support.same(whole, (recover(zero(sound, 1))))
  end)

  it("tells how many documents are missing where a page is gone", function()
    local lost = 0
    for page = 2, #sound // PAGE - 1, 2 do
      local found, report = recover(zero(sound, page))
      assert.is_true(found.plans + found.keys > 200)
      if found.plans < 200 or found.keys < 200 then
        lost = lost + 1
        local told = false
        for _, one in ipairs(report.lost) do
          told = told or one.text:find("there are " .. found.plans, 1, true) or one.text:find("there are " .. found.keys, 1, true)
            or one.text:find "not in the file"
        end
        assert.truthy(told, "page " .. page)
      end
    end
    assert.is_true(lost > 3)
  end)

  it("takes the rows of what is left of a file that was cut off", function()
    local before = 0
    for part = 1, 4 do
      local found = recover(sound:sub(1, #sound * part // 4 - 100))
      local sum = found.plans + found.keys + found.rooms
      assert.is_true(sum >= before)
      before = sum
    end
    assert.is_true(before > 300)
    recover ""
    recover(("garbage"):rep(3000))
  end)

  it("loses few rows to a single flipped bit, and takes no wrong one", function()
    support.at_random(function()
      for _ = 1, 60 do
        local at, bit = math.random(#sound), math.random(0, 7)
        local found = recover(sound:sub(1, at - 1) .. string.char(sound:byte(at) ~ (1 << bit)) .. sound:sub(at + 1))
        assert.is_true(found.plans >= 199 and found.keys >= 199 and found.rooms >= 19, ("byte %d bit %d: %d plans, %d keys")
          :format(at - 1, bit, found.plans, found.keys))
      end
    end)
  end)

  it("finds the rows in a page whose head is damaged", function()
    for page = 2, #sound // PAGE - 1 do
      local head = sound:sub(page * PAGE + 1, page * PAGE + 16)
      if head:byte(11) == 2 then -- a leaf
        support.same(whole, (recover(sound:sub(1, page * PAGE + 12) .. "\xff\xff\xff\xff" .. sound:sub(page * PAGE + 17))))
      end
    end
  end)

  it("names rows that are damaged", function()
    raw.write(path, function(rows)
      for i = 1, 3 do rows.put(raw.key("document", "odd", i), "\x81\xa2id" .. string.char(i)) end
    end)
    local mark = raw.key("document", "odd", 2)
    local _, report = recover((support.read_file(file):gsub(mark:gsub("%p", "%%%0") .. "(.....).", mark .. "%1X")))
    local told
    for _, one in ipairs(report.lost) do told = told or (one.where:find('document 2 of collection "odd"', 1, true) and one.text) end
    assert.are.equal("is damaged", told)
  end)

  it("declares a collection whose declaration is lost, with the field that its ids are in", function()
    do
      local store <close> = larder.open("lmdb:" .. path)
      store:collection("users", { key = "login" }):put{ login = "ada", name = "Ada" }
    end
    raw.write(path, function(rows) rows.delete(raw.key("collection", "users")) end)
    local _, report = recover((support.read_file(file):gsub("\5\x30users\0", "\5\x30uzers\0")))
    assert.is_true(report.ok)
    local store <close> = larder.open("lmdb:" .. folder .. "/new" .. number)
    support.same({ login = "ada", name = "Ada" }, (store:collection("users", { key = "login" }):get "ada"))
    support.raises("INVALID", "key", function() store:collection("users", { key = "id" }):count() end)
  end)

  it("lists ratings whose room is lost, and leaves them out", function()
    raw.write(path, function(rows) rows.put(raw.key("rating", 4321, "m"), "\x90") end)
    local _, report = recover(support.read_file(file))
    local told = {}
    for _, one in ipairs(report.lost) do told[one.where] = one.text end
    assert.are.equal("there is no such room: rows: 1", told["ratings of room number 4321"])
    assert.is_true(report.ok)
  end)

  it("drops a unique index in which documents clash", function()
    do
      local store <close> = larder.open("lmdb:" .. path)
      local users = store:collection("users", { indexes = { { "email", unique = true } } })
      users:put{ id = 1, email = "a" }
      users:put{ id = 2, email = "b" }
    end
    raw.write(path, function(rows) rows.put(raw.key("document", "users", 2), "\x82\xa2id\2\xa5email\xa1a", 1 << 40) end)
    local _, report = recover(support.read_file(file))
    assert.is_true(report.ok)
    assert.truthy(report.lost[1].where:find "email", report.lost[1].where)
    local store <close> = larder.open("lmdb:" .. folder .. "/new" .. number)
    support.none(store:collection "users":indexes())
    assert.are.equal(2, store:collection "users":count())
  end)

  it("gives out no number that was given out before", function()
    local revision
    do
      local store <close> = larder.open("lmdb:" .. path)
      revision = select(2, store:collection "plans":get(191))
    end
    recover(sound)
    local store <close> = larder.open("lmdb:" .. folder .. "/new" .. number)
    store:collection "plans":put{ id = 300 }
    assert.is_true(select(2, store:collection "plans":get(300)) > revision)
  end)

  it("takes a file, a URL, another engine", function()
    recover(sound, { engine = "memory" })
    larder.recover(file, folder .. "/a")
    larder.recover("lmdb:" .. path, "lmdb:" .. folder .. "/b")
    local store <close> = larder.open("lmdb:" .. folder .. "/b")
    support.same(whole, count(store))
  end)

  it("refuses a store with something in it, the damaged one, and nothing at all", function()
    support.raises("INVALID", "not empty", function()
      larder.recover(path, folder .. "/new")
      larder.recover(path, folder .. "/new")
    end)
    support.raises("INVALID", "itself", larder.recover, path, path .. "/")
    support.raises("INVALID", "opened", larder.recover, folder .. "/nowhere", folder .. "/c")
    assert.is_false((pcall(port.file_size, folder .. "/c/data.mdb")) and port.file_size(folder .. "/c/data.mdb") ~= nil)
    support.raises("INVALID", "memory", larder.recover, "memory:", folder .. "/d")
    support.raises("INVALID", "progres", larder.recover, path, folder .. "/e", { progres = print })
  end)

  it("calls progress, and passes on what it raises", function()
    local calls = 0
    larder.recover(path, folder .. "/new", { progress = function() calls = calls + 1 end })
    assert.is_true(calls >= 3)
    local raised = {}
    local ok, got = pcall(larder.recover, path, folder .. "/other", { progress = function() error(raised) end })
    assert.is_false(ok)
    assert.are.equal(raised, got)
  end)
end)
