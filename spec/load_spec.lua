-- larder.load: a dump put into a store.
local larder = require "larder"
local stocked = require "stocked"
local support = require "support"
local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local written

-- The same file each time.
local function write(text)
  written = written or os.tmpname()
  support.write_file(written, text)
  return written
end

local function dump_of(store)
  local parts = {}
  store:dump(function(part) parts[#parts + 1] = part end)
  return table.concat(parts)
end

local function is_empty(store)
  return stocked.text(store) == ""
end

-- A text with the checksum that fits it, as somebody who knows how would forge it.
local function sealed(text)
  local body, trailer = text:match "^(.*\n)([^\n]*\n)$"
  local crc = 0xffffffff
  for i = 1, #body do
    crc = crc ~ body:byte(i)
    for _ = 1, 8 do crc = (crc >> 1) ~ (crc & 1 == 1 and 0x82f63b78 or 0) end
  end
  local lines = select(2, body:gsub("\n", ""))
  trailer = trailer:gsub('"lines":%d+', '"lines":' .. lines):gsub('"bytes":%d+', '"bytes":' .. #body)
  return body .. trailer:gsub('"crc32c":"%x+"', ('"crc32c":"%08x"'):format(crc ~ 0xffffffff))
end

local function small(store)
  store:collection("plans"):put { id = 1, title = "one" }
  store:collection("plans"):put { id = 2, title = "two" }
  store:map("seen"):set("k", "v")
  return store
end

on_each_engine("larder.load", function(given)
  after_each(function()
    if written then os.remove(written) end
    written = nil
  end)

  it("gives back the store that was dumped, at once and in batches", function()
    local text = stocked.text(stocked.fill(given.store))
    local path = write(dump_of(given.store))
    local first, second = given.open(), given.open()
    local counts = larder.load(path, first)
    assert.are.equal(14, counts.rooms)
    assert.are.equal(63, counts.documents)
    stocked.holds(text, first)
    larder.load(path, second, { batch = 7 })
    stocked.holds(text, second)
    for _, store in ipairs { first, second } do
      assert.are.equal("status", store:collection("plans"):explain({ where = { status = "s1" } }).index)
      assert.are.equal(15, #store:collection("plans"):find { where = { status = "s1" } })
      same(given.store:queue("mail"):counts(), store:queue("mail"):counts())
      assert.is_true(store:queue("mail"):ack(stocked.job))
      same(given.store:rooms():stats(), store:rooms():stats())
    end
  end)

  it("keeps times, so that rooms grow idle as before", function()
    local now = 1700000000000
    local from = given.open { clock = function() return now end }
    from:rooms():save { roomName = "old", userProgress = {} }
    from:rooms():save { roomName = "rated" }
    now = now + 1000000
    from:rooms():rate("rated", "ada", "m", "like")
    local path = write(dump_of(from))
    local to = given.open { clock = function() return now end }
    larder.load(path, to)
    local count, names = to:rooms():expire { idle = 500 }
    assert.are.equal(1, count)
    same({ "old" }, names)
  end)

  it("adds to what is there, or refuses it, or replaces it", function()
    local path = write(dump_of(small(given.store)))
    local to = given.open()
    to:collection("others"):put { id = 1 }
    larder.load(path, to)
    assert.are.equal("one", to:collection("plans"):get(1).title)
    assert.are.equal(1, to:collection("others"):count())
    raises("EXISTS", { "line 2", "plans" }, larder.load, path, to)
    to:collection("plans"):put { id = 1, title = "mine" }
    larder.load(path, to, { replace = true })
    assert.are.equal("one", to:collection("plans"):get(1).title)
    to:map("seen"):set("k", "mine")
    to:drop "plans"
    raises("EXISTS", { "line 5", "seen" }, larder.load, path, to)
    same({ "others" }, to:collections())
    raises("EXISTS", "not empty", larder.load, path, to, { batch = 10 })
  end)

  it("is part of a transaction", function()
    local path = write(dump_of(small(given.store)))
    local to = given.open()
    pcall(to.update, to, function(tx)
      larder.load(path, tx)
      assert.are.equal("two", tx:collection("plans"):get(2).title)
      error "no"
    end)
    assert.is_true(is_empty(to))
  end)

  it("refuses a dump that was cut off anywhere, with the line, and nothing is visible", function()
    local text = dump_of(small(given.store))
    local to = given.open()
    for size = 0, #text - 1 do
      local cut = text:sub(1, size)
      local path = write(cut)
      local line = select(2, cut:gsub("\n", "")) + 1
      for _, options in ipairs { {}, { batch = 2 } } do
        raises("INVALID", ("line %d"):format(line), larder.load, path, to, options)
      end
    end
    assert.is_true(is_empty(to))
  end)

  it("refuses a dump with any bit turned, and nothing is visible", function()
    local text = dump_of(small(given.store))
    local to = given.open()
    local path = write(text)
    for at = 1, #text do
      local turned = text:sub(1, at - 1) .. string.char(text:byte(at) ~ (1 << at % 8)) .. text:sub(at + 1)
      support.write_file(path, turned)
      local ok, problem = pcall(larder.load, path, to, at % 2 == 0 and { batch = 2 } or nil)
      assert.is_false(ok, ("byte %d of %q was loaded"):format(at, turned))
      assert.truthy(problem.code == "INVALID" or problem.code == "UNSUPPORTED", tostring(problem))
      assert.truthy(problem.message:find "line %d+", tostring(problem))
    end
    assert.is_true(is_empty(to))
  end)

  it("names the line and the column of what is no JSON", function()
    local text = dump_of(small(given.store)):gsub('"title":"two"', '"title":two')
    raises("INVALID", { "line 4, column " }, larder.load, write(text), given.open())
  end)

  it("refuses lines that are missing, there twice, in another order, or behind the end", function()
    local text = dump_of(small(given.store))
    local lines = {}
    for line in text:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
    local function with(...)
      local picked = {}
      for _, i in ipairs { ... } do picked[#picked + 1] = lines[i] end
      return write(table.concat(picked))
    end
    local to = given.open()
    raises("INVALID", "line 5", larder.load, with(1, 2, 3, 5, 6), to)
    raises("INVALID", "checksum", larder.load, with(1, 2, 4, 3, 5, 6), to)
    raises("EXISTS", "line 5", larder.load, with(1, 2, 3, 4, 4, 5, 6), to)
    raises("INVALID", "line 7", larder.load, with(1, 2, 3, 4, 5, 6, 5), to)
    raises("INVALID", "line 3", larder.load, with(1, 2, 1, 3, 4, 5, 6), to)
    raises("INVALID", "line 1: this is no dump", larder.load, with(2, 3, 4, 5, 6), to)
    assert.is_true(is_empty(to))
    larder.load(with(1, 2, 3, 4, 5, 6), to)
  end)

  it("refuses foreign files and those of later versions", function()
    local to = given.open()
    for _, text in ipairs { "", "\n", "VERSION=3\nformat=bytevalue\n", '{"a":1}\n', "[1]\n", "\0\0\0\n", "null\n", "{}\n{}\n" } do
      raises("INVALID", "no dump", larder.load, write(text), to)
    end
    local dumped = dump_of(small(given.store))
    raises("UNSUPPORTED", { "line 1", "newer" }, larder.load, write(sealed((dumped:gsub('"format":1', '"format":2')))), to)
    raises("UNSUPPORTED", { "line 3", "newer" }, larder.load, write(sealed((dumped:gsub('"kind":"document"', '"kind":"graph"')))), to)
    raises("INVALID", "nowhere", larder.load, "/nowhere/dump", to)
    assert.is_true(is_empty(to))
  end)

  it("refuses records that cannot be, though the checksum fits", function()
    local dumped = dump_of(small(given.store))
    local to = given.open()
    for from, into in pairs {
      ['"document":{"id":1'] = '"document":{"id":1.5',
      ['"map":"seen"'] = '"map":""',
      ['"key":"k"'] = '"key":[]',
      ['"declaration":{"key":"id"}'] = '"declaration":{"indexes":[{"name":"x"}]}',
      ['"collection":"plans","declaration"'] = '"collection":7,"declaration"',
    } do
      local changed, count = dumped:gsub(from:gsub("%p", "%%%0"), (into:gsub("%%", "%%%%")), 1)
      if from:find "document" and count == 0 then
        changed, count = dumped:gsub('"id":1', '"id":1.5', 1)
      end
      assert.are.equal(1, count, from)
      raises("INVALID", "line ", larder.load, write(sealed(changed)), to)
    end
    assert.is_true(is_empty(to))
  end)

  it("is told by verify until it has ended", function()
    local path, to = write(dump_of(stocked.fill(given.store))), given.open()
    pcall(larder.load, path, to, { batch = 10, progress = function(done)
      if done > 50 then error "stop" end
    end })
    local report = to:verify()
    assert.are.equal(1, report.found)
    assert.are.equal("unfinished", report.findings[1].kind)
    assert.truthy(report.findings[1].text:find "a load into this store")
    larder.load(path, to, { batch = 10 })
    assert.is_true(to:verify().ok)
  end)

  it("tells its progress, and checks its options", function()
    local path, last, total = write(dump_of(stocked.fill(given.store))), 0, 0
    larder.load(path, given.open(), { batch = 10, progress = function(done, all)
      assert.is_true(done >= last)
      last, total = done, all
    end })
    assert.is_true(total > 100)
    assert.are.equal(total, last)
    raises("INVALID", "batch", larder.load, path, given.open(), { batch = 0 })
    raises("INVALID", "batch", larder.load, path, given.open(), { batch = 5, replace = true })
    raises("INVALID", "path", larder.load, 5, given.open())
    raises("INVALID", "path", larder.load, nil, given.open(), { batch = 5 })
  end)
end)

describe("larder.load to a URL", function()
  after_each(support.remove_folders)

  it("makes no store when there is no dump, or for batches none that is whole", function()
    local folder = support.folder()
    local url = "lmdb:" .. folder .. "/store"
    support.write_file(folder .. "/none", "VERSION=3\n")
    raises("INVALID", "nowhere", larder.load, folder .. "/nowhere", url)
    raises("INVALID", "nowhere", larder.load, folder .. "/nowhere", url, { batch = 5 })
    raises("INVALID", "no dump", larder.load, folder .. "/none", url, { batch = 5 })
    assert.are.equal("none\n", io.popen(("ls -A '%s'"):format(folder)):read "a")
  end)

  it("does not read a pipe twice", function()
    local folder = support.folder()
    assert(os.execute(("mkfifo '%s/pipe' && { echo text >'%s/pipe' & }"):format(folder, folder)))
    raises("INVALID", { "batch", "read twice" }, larder.load, folder .. "/pipe", "memory:", { batch = 5 })
  end)
end)
