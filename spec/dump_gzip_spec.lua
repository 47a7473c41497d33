-- Dumps whose name ends in .gz, and packed ones that are loaded.
local larder = require "larder"
local stocked = require "stocked"
local support = require "support"
local on_each_engine, raises = support.on_each_engine, support.raises

local function has_zlib()
  local store <close> = larder.open "memory:"
  local ok, problem = pcall(store.dump, store, support.folder() .. "/d.gz")
  support.remove_folders()
  return ok or problem.code ~= "UNSUPPORTED"
end

local function clock() return 1700000000000 end

-- In a shell that does not load the sanitizers.
local function must(command, ...)
  assert(os.execute("unset LD_PRELOAD; " .. command:format(...)))
end

on_each_engine("a dump packed by gzip", function(given)
  if not has_zlib() then return it("needs zlib", function() pending "this larder was built without zlib" end) end

  local folder, text
  before_each(function()
    local store = given.open { clock = clock }
    folder, text = support.folder(), stocked.text(stocked.fill(store))
    store:dump(folder .. "/d.jsonl")
    store:dump(folder .. "/d.jsonl.gz")
  end)

  local function packed() return support.read_file(folder .. "/d.jsonl.gz") end

  local function write(bytes)
    support.write_file(folder .. "/w.gz", bytes)
    return folder .. "/w.gz"
  end

  it("is the plain one when it is unpacked, and smaller", function()
    must("gzip -t '%s/d.jsonl.gz' && zcat '%s/d.jsonl.gz' | cmp - '%s/d.jsonl'", folder, folder, folder)
    assert.is_true(#packed() * 3 < #support.read_file(folder .. "/d.jsonl"))
  end)

  it("is loaded, at once and in batches, whatever its name", function()
    os.rename(folder .. "/d.jsonl.gz", folder .. "/d")
    for _, options in ipairs { {}, { batch = 7 } } do
      local to = given.open()
      assert.are.equal(14, larder.load(folder .. "/d", to, options).rooms)
      stocked.holds(text, to)
    end
  end)

  it("is loaded when gzip has packed it, in several parts, too", function()
    must("cd '%s' && { head -n 9 d.jsonl | gzip -1; tail -n +10 d.jsonl | gzip -9; } >two.gz", folder)
    local to = given.open()
    larder.load(folder .. "/two.gz", to)
    stocked.holds(text, to)
    os.rename(folder .. "/d.jsonl", folder .. "/plain.gz")
    larder.load(folder .. "/plain.gz", given.open())
  end)

  it("replaces a file only when told to, and leaves none when it fails", function()
    raises("EXISTS", "d.jsonl.gz", given.store.dump, given.store, folder .. "/d.jsonl.gz")
    given.store:dump(folder .. "/d.jsonl.gz", { overwrite = true })
    stocked.fill(given.store)
    pcall(given.store.dump, given.store, folder .. "/e.gz", { progress = function() error "stop" end })
    collectgarbage()
    assert.are.equal("d.jsonl\nd.jsonl.gz\n", io.popen(("ls -A '%s'"):format(folder)):read "a")
  end)

  it("is refused when it was cut off anywhere, and nothing is visible", function()
    local whole, to = packed(), given.open()
    for size = 0, #whole - 1, 11 do
      local path = write(whole:sub(1, size))
      raises("INVALID", "line ", larder.load, path, to, size % 2 == 0 and { batch = 5 } or nil)
    end
    raises("INVALID", "the packed file was cut off", larder.load, write(whole:sub(1, -2)), to)
    assert.are.equal("", stocked.text(to))
  end)

  -- Some bits mean nothing: padding, and a distance that leads to another place with the same text.
  it("is refused when it was changed, or something follows it, and nothing is visible", function()
    local whole, to, refused = packed(), given.open(), 0
    for at = 11, #whole, 7 do -- behind the header, of which not all means something
      local turned = whole:sub(1, at - 1) .. string.char(whole:byte(at) ~ (1 << at % 8)) .. whole:sub(at + 1)
      local ok, problem = pcall(larder.load, write(turned), to, at % 2 == 0 and { batch = 5 } or nil)
      if ok then
        stocked.holds(text, to)
        to = given.open()
      else
        refused = refused + 1
        assert.truthy(problem.message:find "line %d+", tostring(problem))
      end
    end
    assert.is_true(refused > #whole / 7 * 0.9)
    raises("INVALID", "damaged", larder.load, write(whole .. "more"), to)
    raises("INVALID", "something follows", larder.load, write(whole .. whole), to)
    assert.are.equal("", stocked.text(to))
  end)

  it("goes through in many pieces", function()
    local store = given.open()
    for i = 1, 3000 do store:map("many"):set(i, ("text %d "):format(i):rep(200)) end
    store:dump(folder .. "/large.gz")
    local loaded = given.open()
    larder.load(folder .. "/large.gz", loaded)
    assert.are.equal(3000, loaded:map("many"):count())
    assert.are.equal(store:map("many"):get(2999), loaded:map("many"):get(2999))
  end)
end)

describe("other packers", function()
  after_each(support.remove_folders)

  it("are named, and neither written nor read", function()
    local store <close> = larder.open "memory:"
    local folder = support.folder()
    for extension, name in pairs { zst = "zstd", xz = "xz", bz2 = "bzip2", lz4 = "lz4", ZIP = "zip" } do
      raises("INVALID", { name, ".gz" }, store.dump, store, folder .. "/d.jsonl." .. extension)
    end
    for name, start in pairs { zstd = "\x28\xb5\x2f\xfd", xz = "\xfd7zXZ\0", bzip2 = "BZh9", lz4 = "\x04\x22\x4d\x18", zip = "PK\3\4" } do
      support.write_file(folder .. "/d", start .. "rest")
      raises("INVALID", { folder, "packed by " .. name }, larder.load, folder .. "/d", store)
    end
  end)
end)
