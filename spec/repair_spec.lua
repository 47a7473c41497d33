-- store:verify{ repair = "indexes" }: what follows from documents and keys is made anew; what does not stays as it is.
local larder = require "larder"
local raw = require "raw_rows"
local support = require "support"

local key = raw.key

describe("verify{ repair = \"indexes\" }", function()
  local path, numbers

  local function open()
    return larder.open{ engine = "lmdb", path = path, durability = "none", check_on_open = 0 }
  end

  before_each(function()
    path = support.folder() .. "/store"
    do
      local store <close> = open()
      local plans = store:collection("plans", {
        indexes = { "status", { "email", unique = true, sparse = true }, { "tags" } } })
      for i = 1, 50 do plans:put{ id = i, status = i % 2 == 0 and "o" or "c", email = "m" .. i, tags = { "a", i } } end
      for i = 1, 10 do store:map "seen":set(i, i) end
    end
    numbers = raw.index_numbers(path, "plans")
  end)
  after_each(support.remove_folders)

  local function entry(index, value, id)
    return key("index", numbers[index]) .. "\x30" .. value .. "\0\0" .. key("index", id):sub(2)
  end

  local function check_sound(store)
    assert.is_true(store:verify().ok)
    local plans = store:collection "plans"
    assert.are.equal(25, #plans:find{ where = { status = "o" } })
    assert.are.equal(1, #plans:find{ where = { email = "m7" } })
    assert.are.equal(50, #plans:find{ where = { tags = "a" } })
    assert.are.equal(50, plans:count())
    assert.are.equal(10, store:map "seen":count())
  end

  it("changes nothing in a sound store", function()
    local store <close> = open()
    local report = store:verify{ repair = "indexes" }
    assert.is_true(report.ok)
    support.none(report.repaired)
  end)

  it("builds broken indexes anew, with entries missing, too many and damaged", function()
    raw.write(path, function(rows)
      rows.delete(entry("status", "c", 7))
      rows.put(entry("status", "o", 99), "\x63")
      rows.spoil(entry("email", "m8", 8))
    end)
    local store <close> = open()
    assert.are.equal(24, #store:collection "plans":find{ where = { status = "c" } })
    local report = store:verify{ repair = "indexes" }
    assert.is_true(report.ok)
    support.same({ { what = 'index "status" of collection "plans"', ok = true },
      { what = 'index "email" of collection "plans"', ok = true } }, report.repaired)
    check_sound(store)
    store:collection "plans":put{ id = 51, status = "new", email = "m51" }
    support.raises("EXISTS", "email", function() store:collection "plans":create{ id = 52, email = "m51" } end)
    assert.is_true(store:verify().ok)
  end)

  it("counts collections and maps again", function()
    raw.write(path, function(rows)
      rows.put(key("count", "plans"), "\x05")
      rows.delete(key("map", "seen"))
      rows.put(key("map", "gone"), "\3")
      rows.put(key("count", "nobody"), "\3")
    end)
    local store <close> = open()
    assert.is_true(store:verify{ repair = "indexes" }.ok)
    check_sound(store)
    assert.are.equal(0, store:map "gone":count())
  end)

  it("counts the versions of documents again", function()
    local name = { version = 3, indexes = { "n" }, upgrade = { [2] = function() end, [3] = function() end } }
    do
      local store <close> = open()
      store:collection "users":put{ id = 1, n = 1 }
      store:collection("users", name):put{ id = 2, n = 2 }
      store:collection("users", name):put{ id = 3, n = 3 }
      assert.is_true(store:verify().ok)
    end
    for _, tally in ipairs{ "\3", "\3\2\2", "\2\3\2", "\3\3\3", "\3\3\0" } do
      raw.write(path, function(rows) rows.put(key("count", "users"), tally) end)
      local store <close> = open()
      local report = store:verify()
      assert.are.equal("count", report.findings[1].kind)
      assert.is_true(store:verify{ repair = "indexes" }.ok)
    end
    raw.write(path, function(rows) rows.spoil(key("count", "users")) end)
    local store <close> = open()
    assert.is_true(store:verify{ repair = "indexes" }.ok)
    assert.are.equal(2, store:collection("users", name):find{ where = { n = 2 } }[1].n)
  end)

  it("replaces counts whose rows are damaged", function()
    raw.write(path, function(rows)
      rows.spoil(key("count", "plans"))
      rows.spoil(key("map", "seen"))
    end)
    local store <close> = open()
    support.raises("CORRUPT", "", function() store:collection "plans":count() end)
    assert.is_true(store:verify{ repair = "indexes" }.ok)
    check_sound(store)
  end)

  it("removes entries of indexes that nobody declares", function()
    raw.write(path, function(rows)
      for i = 1, 5 do rows.put(key("index", 5555) .. key("index", i), "\1") end
    end)
    local store <close> = open()
    local report = store:verify{ repair = "indexes" }
    support.same({ { what = "index number 5555", ok = true } }, report.repaired)
    assert.is_true(report.ok)
    check_sound(store)
  end)

  it("keeps the entries that no declaration explains while one is damaged", function()
    raw.write(path, function(rows) rows.spoil(key("collection", "plans")) end)
    local store <close> = open()
    local report = store:verify{ repair = "indexes" }
    assert.is_false(report.ok)
    support.none(report.repaired)
    assert.are.equal(50 * 4, report.entries)
  end)

  it("raises the sequence, so that no number is given out twice", function()
    local revision
    do
      local store <close> = open()
      revision = select(2, store:collection "plans":get(50))
    end
    raw.write(path, function(rows) rows.put(key("store", "sequence"), "\1") end)
    local store <close> = open()
    assert.is_true(store:verify{ repair = "indexes" }.ok)
    store:collection "plans":put{ id = 60 }
    assert.is_true(select(2, store:collection "plans":get(60)) > revision)
  end)

  it("puts right a damaged sequence, without which nothing can be written", function()
    raw.write(path, function(rows) rows.spoil(key("store", "sequence")) end)
    local store <close> = open()
    support.raises("CORRUPT", "", function() store:map "m":set(1, 1) end)
    assert.is_true(store:verify{ repair = "indexes" }.ok)
    store:map "m":set(1, 1)
    assert.is_true(store:verify().ok)
  end)

  it("leaves a unique index in which documents clash, and names them", function()
    raw.write(path, function(rows)
      rows.put(key("document", "plans", 7), "\x83\xa2id\7\xa6status\xa1c\xa5email\xa2m5")
    end)
    local store <close> = open()
    local report = store:verify{ repair = "indexes" }
    assert.is_false(report.ok)
    local told
    for _, one in ipairs(report.repaired) do
      if not one.ok then told = one end
    end
    assert.are.equal('index "email" of collection "plans"', told.what)
    assert.truthy(told.text:find "documents [57] and [57]", told.text)
    assert.are.equal(3, #store:collection "plans":indexes())
  end)

  it("leaves an index whose documents are damaged as it was", function()
    raw.write(path, function(rows)
      rows.spoil(key("document", "plans", 9))
      rows.delete(entry("status", "c", 7))
    end)
    local store <close> = open()
    local report = store:verify{ repair = "indexes" }
    assert.is_false(report.ok)
    assert.is_false(report.repaired[1].ok)
    assert.truthy(report.repaired[1].text:find "checksum")
    assert.is_true(store:collection "plans":indexes()[1].ready)
  end)

  it("leaves what does not follow from anything", function()
    raw.write(path, function(rows)
      rows.put(key("rating", 4321, "m"), "\x90")
      rows.put(key("document", "nobody", 1), "\x81\xa2id\1")
    end)
    local store <close> = open()
    local report = store:verify{ repair = "indexes" }
    assert.are.equal(2, report.found)
    support.none(report.repaired)
  end)

  it("is refused while a write transaction of the store is open", function()
    raw.write(path, function(rows) rows.put(key("count", "plans"), "\x05") end)
    local store <close> = open()
    local tx <close> = store:begin "write"
    support.raises("MISUSE", "", store.verify, store, { repair = "indexes" })
    tx:rollback()
    assert.is_true(store:verify{ repair = "indexes" }.ok)
  end)
end)
