local config = require "larder.config"
local larder = require "larder"
local support = require "support"

local same, none, raises = support.same, support.none, support.raises

--- What the environment of these variables opens: the engine's name and its options.
local function from(variables, options)
  local engine, texts = config.from_env(options, function(name) return variables[name] end)
  return engine, texts
end

local function opens(engine, options, ...)
  local got, texts = ...
  assert.are.equal(engine, got)
  same(options, texts)
end

describe("larder.open", function()
  after_each(support.remove_folders)

  it("takes a URL, alone or among options, or an engine and what it needs", function()
    for _, where in ipairs { "memory:", { url = "memory:" }, { engine = "memory" } } do
      local store <close> = larder.open(where)
      assert.are.equal("memory", store:stats().engine)
    end
    local folder = support.folder()
    for i, where in ipairs { "lmdb:" .. folder .. "/x", { url = "lmdb:" .. folder .. "/x" }, { engine = "lmdb", path = folder .. "/x" } } do
      local store <close> = larder.open(where)
      assert.are.equal("lmdb", store:stats().engine)
      assert.are.equal(i - 1, store:rooms():stats().rooms)
      store:rooms():save { roomName = "r" .. i }
    end
  end)

  it("makes missing folders", function()
    local path = support.folder() .. "/a/b c/d"
    local store <close> = larder.open { engine = "lmdb", path = path }
    store:rooms():save { roomName = "a" }
    assert.is_true(os.rename(path, path))
  end)

  it("takes options in the URL", function()
    local folder = support.folder()
    local store <close> = larder.open("lmdb:" .. folder .. "/x?durability=none")
    assert.are.equal("lmdb", store:stats().engine)
    raises("INVALID", { "durability", "sometimes" }, larder.open, "lmdb:" .. folder .. "/y?durability=sometimes")
    raises("INVALID", { "durabilty", "durability" }, larder.open, "lmdb:" .. folder .. "/y?durabilty=none")
  end)

  it("leaves the table of options alone", function()
    local options = { url = "memory:", clock = function() return 1 end }
    local before = support.copy(options)
    larder.open(options):close()
    same(before, options)
  end)
end)

describe("larder.open", function()
  after_each(support.remove_folders)

  it("refuses what is no place", function()
    for _, where in ipairs { 5, true, print, io.stdout } do raises("INVALID", nil, larder.open, where) end
    raises("INVALID", nil, larder.open)
    for _, url in ipairs { "", "memory", "./data", ":", ":memory:", "/tmp/x", "\0:" } do raises("INVALID", nil, larder.open, url) end
    raises("INVALID", "engine", larder.open, {})
    raises("INVALID", nil, larder.open, { path = "x" })
    for _, name in ipairs { 5, true, {}, "" } do raises("INVALID", nil, larder.open, { engine = name }) end
    for _, url in ipairs { 5, true, {} } do raises("INVALID", "url", larder.open, { url = url }) end
  end)

  it("takes either a URL or an engine", function()
    raises("INVALID", { "url", "engine" }, larder.open, { url = "memory:", engine = "memory" })
  end)

  it("names the nearest engine for one it does not know, and all it knows", function()
    raises("INVALID", { "lmbd", 'did you mean "lmdb"', "memory" }, larder.open, "lmbd:./data")
    raises("INVALID", { "memroy", 'did you mean "memory"', "lmdb" }, larder.open, { engine = "memroy" })
    raises("INVALID", { "oracle", "memory", "lmdb" }, larder.open, "oracle:x")
  end)

  it("names the nearest option for one it does not know", function()
    raises("INVALID", { "colour" }, larder.open, { engine = "memory", colour = "red" })
    raises("INVALID", { "paht", "path" }, larder.open, { engine = "lmdb", paht = "x" })
    raises("INVALID", { "clok", "clock" }, larder.open, { engine = "memory", clok = os.time })
    raises("INVALID", { "url", "uri" }, larder.open, { uri = "memory:" })
    raises("INVALID", nil, larder.open, { engine = "memory", [1] = "x" })
    raises("INVALID", nil, larder.open, { engine = "memory", [true] = "x" })
  end)

  it("refuses option values of the wrong kind, naming the option", function()
    local path = support.folder() .. "/x"
    for _, value in ipairs { 1.5, {}, print } do
      raises("INVALID", "durability", larder.open, { engine = "lmdb", path = path, durability = value })
      raises("INVALID", "path", larder.open, { engine = "lmdb", path = value })
    end
    for _, size in ipairs { "", "lots", "-1", "1.5", -1, 0, true, "1XB" } do
      raises("INVALID", "map_size", larder.open, { engine = "lmdb", path = path, map_size = size })
    end
    raises("INVALID", "readers", larder.open, { engine = "lmdb", path = path, readers = "many" })
    raises("INVALID", "path", larder.open, { engine = "lmdb" })
    raises("INVALID", "path", larder.open, "lmdb:")
    assert.is_nil((os.rename(path, path)))
  end)
end)

describe("larder.from_env", function()
  it("opens a memory store when nothing is set", function()
    opens("memory", {}, from {})
    opens("memory", {}, from { LARDER_URL = "", STORAGE_TYPE = "", STORAGE_PATH = "" })
    opens("memory", {}, from { STORAGE_TYPE = "memory" })
  end)

  it("opens STORAGE_TYPE at STORAGE_PATH", function()
    opens("lmdb", { path = "./data" }, from { STORAGE_TYPE = "lmdb", STORAGE_PATH = "./data" })
    opens("lmdb", { path = "/a b/ö?x=y%20" }, from { STORAGE_TYPE = "lmdb", STORAGE_PATH = "/a b/ö?x=y%20" })
  end)

  it("takes LARDER_URL first", function()
    opens("lmdb", { path = "./x" }, from { LARDER_URL = "lmdb:./x", STORAGE_TYPE = "memory", STORAGE_PATH = "./y" })
    opens("lmdb", { path = "/x", durability = "none" }, from { LARDER_URL = "lmdb:/x?durability=none" })
    opens("memory", {}, from { LARDER_URL = "memory:", STORAGE_TYPE = "lmdb" })
  end)

  it("takes more options", function()
    opens("lmdb", { path = "./data", durability = "none" },
      from({ STORAGE_TYPE = "lmdb", STORAGE_PATH = "./data" }, { durability = "none" }))
    opens("lmdb", { path = "/x", readers = "5" }, from({ LARDER_URL = "lmdb:/x" }, { readers = 5 }))
    local _, texts, hooks = config.from_env({ clock = os.time }, function() end)
    assert.are.equal(os.time, hooks.clock)
    none(texts)
  end)

  it("lists the known types for an unknown one, and does not fall back", function()
    raises("INVALID", { "STORAGE_TYPE", "redsi", "memory", "lmdb" }, from, { STORAGE_TYPE = "redsi" })
    raises("INVALID", { "STORAGE_TYPE", "lmbd", "lmdb" }, from, { STORAGE_TYPE = "lmbd", STORAGE_PATH = "x" })
    raises("INVALID", nil, from, { LARDER_URL = "nonsense", STORAGE_TYPE = "memory" })
    assert.is_false(pcall(function() larder.open { engine = from { STORAGE_TYPE = "lmdb" } } end))
  end)
end)

describe("a program's environment", function()
  after_each(support.remove_folders)
  local program = [[
    local store = require("larder").from_env()
    print(store:stats().engine, store:rooms():stats().rooms)
    store:rooms():save { roomName = "a" }
  ]]

  it("decides what from_env opens", function()
    local path = support.folder() .. "/new"
    local lmdb = { STORAGE_TYPE = "lmdb", STORAGE_PATH = path }
    same({ 0, "memory\t0\n", "" }, { support.run(program) })
    same({ 0, "lmdb\t0\n", "" }, { support.run(program, lmdb) })
    same({ 0, "lmdb\t1\n", "" }, { support.run(program, lmdb) })
    same({ 0, "lmdb\t1\n", "" }, { support.run(program, { LARDER_URL = "lmdb:" .. path, STORAGE_TYPE = "memory" }) })
    same({ 0, "memory\t0\n", "" }, { support.run(program, { LARDER_URL = "memory:", STORAGE_TYPE = "lmdb" }) })
    same({ 0, "memory\t0\n", "" }, { support.run(program, { STORAGE_TYPE = "memory" }) })
  end)

  it("of an unknown type, or without a path, ends it with a readable error", function()
    local code, out, err = support.run(program, { STORAGE_TYPE = "cassandra" })
    same({ 1, "" }, { code, out })
    for _, part in ipairs { "cassandra", "STORAGE_TYPE", "memory", "lmdb" } do assert.is_not_nil(err:find(part, 1, true), err) end
    code, out, err = support.run(program, { STORAGE_TYPE = "lmdb" })
    same({ 1, "" }, { code, out })
    assert.is_not_nil(err:find("path", 1, true) or err:find("STORAGE_PATH", 1, true), err)
  end)

  it("does not matter to larder.open", function()
    local opening = [[print(require("larder").open("memory:"):stats().engine)]]
    same({ 0, "memory\n", "" }, { support.run(opening, { LARDER_URL = "lmdb:/x", STORAGE_TYPE = "nonsense" }) })
  end)
end)
