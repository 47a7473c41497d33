-- The command `larder` on a directory of JSON files.
local cli = require "cli"
local core = require "larder.core"
local larder = require "larder"
local support = require "support"

describe("larder, on file:", function()
  local user

  local function open(more)
    return larder.open("file:" .. user:path "data" .. (more or ""))
  end

  before_each(function()
    user = cli.new()
    local store <close> = open "?durability=none"
    store:rooms():save { roomName = "movie night", sort = "random" }
    store:rooms():rate("movie night", "ada", "movie-7", "like", 1709319601000)
    store:collection("plans", { indexes = { "status" } }):put { id = 7, status = "open" }
    store:queue("mail"):enqueue { to = "ada" }
  end)
  after_each(function() user:remove() end)

  it("looks at it, and changes nothing in it", function()
    local function listing() return user:must "cd data && find . -type f | sort | xargs stat -c '%n %Y %Z' && ls -laR . | cat" end
    local before = listing()
    local found = core.from_json((user:must "larder info --json file:./data"))
    assert.are.equal(1, found.rooms)
    assert.truthy((user:must "larder rooms list file:./data"):find("movie night", 1, true))
    assert.truthy((user:must "larder get file:./data plans 7"):find("open", 1, true))
    assert.truthy((user:must [[larder find file:./data plans '{"status": "open"}']]):find "7")
    assert.truthy((user:must "larder queue list file:./data"):find "mail")
    assert.truthy((user:must "larder queue jobs file:./data mail"):find "ada")
    user:must "larder stats file:./data"
    user:must "larder verify file:./data"
    user:must "larder dump file:./data data.jsonl"
    assert.are.equal(before, listing())
  end)

  it("changes it, and what a person reads", function()
    user:must [[larder put file:./data plans '{"id": 8, "status": "new"}']]
    user:must "larder delete --yes file:./data plans 7"
    user:must "larder rooms delete --yes file:./data 'movie night'"
    assert.truthy(support.read_file(user:path "data/plans/8.json"):find('\n  "status": "new"', 1, true))
    user:must [[larder queue add file:./data mail '{"to": "bob"}']]
    local store <close> = open()
    assert.are.equal(2, store:queue("mail"):counts().ready)
    assert.are.equal(1, store:collection("plans"):count())
    support.none(store:rooms():list())
  end)

  it("makes none but when told", function()
    local code, _, message = user:type "larder info file:./typo"
    assert.are.equal(3, code)
    assert.truthy(message:find "typo.*No such file or directory")
    code = user:type [[larder put file:./typo plans '{"id": 1}']]
    assert.are.equal(3, code)
    assert.is_nil(io.open(user:path "typo"))
    user:must [[larder put --create file:./made plans '{"id": 1}']]
    assert.truthy(support.read_file(user:path "made/plans/1.json"))
  end)

  it("copies it to LMDB and back, loads it, backs it up", function()
    user:must "larder copy file:./data lmdb:./copied"
    user:must "larder copy lmdb:./copied file:./back"
    local name = "/rooms/movie%20night.json"
    assert.are.equal(support.read_file(user:path("data" .. name)), support.read_file(user:path("back" .. name)))
    user:must "larder dump file:./back data.jsonl && larder load data.jsonl file:./loaded"
    assert.truthy((user:must "larder queue jobs file:./loaded mail"):find "ada")
    user:must "larder backup take file:./data backups"
    assert.truthy((user:must "larder verify file:./back"))
  end)

  it("names what is wrong with its files", function()
    support.write_file(user:path "data/plans/9.json", "{")
    support.write_file(user:path "data/note.txt", "x")
    local code, out = user:type "larder verify file:./data"
    assert.are.equal(1, code)
    assert.truthy(out:find("plans/9.json", 1, true) and out:find("note.txt", 1, true), out)
    local failed, _, message = user:type "larder info file:./data"
    assert.are.equal(3, failed)
    assert.truthy(message:find("plans/9.json", 1, true), message)
  end)

  it("says who has it", function()
    local store <close> = open()
    local code, _, message = user:type "larder info file:./data"
    assert.are.equal(4, code)
    assert.truthy(message:find "is open already, in process %d+", message)
    assert.is_true(store:rooms():has "movie night")
  end)
end)
