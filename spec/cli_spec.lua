-- The command as a user types it: exit codes, help, what goes where; and each example of each --help.
local cli = require "cli"
local core = require "larder.core"
local larder = require "larder"
local support = require "support"

local commands = { "info", "stats", "get", "put", "delete", "find", "rooms", "queue", "dump", "load", "copy", "backup", "restore", "verify",
  "recover", "migrate", "shell" }

describe("larder", function()
  local user

  before_each(function() user = cli.new() end)
  after_each(function() user:remove() end)

  it("says its version", function()
    assert.are.equal("larder " .. larder.version .. "\n", user:must "larder --version")
  end)

  it("has all its commands in its help, and the exit codes", function()
    local help = user:must "larder --help"
    for _, name in ipairs(commands) do assert.truthy(help:find("\n   " .. name .. " ", 1, true), name) end
    assert.truthy(help:find("130 Ctrl-C", 1, true))
    assert.are.equal(help, (user:must "larder help"))
  end)

  it("ends with 2 where the command line is wrong", function()
    for _, line in ipairs { "larder", "larder nonsense", "larder get", "larder find memory: plans '{\"a\":'",
      "larder find memory: plans --limit x",
      "larder delete memory: plans", "larder rooms", "larder put memory: plans 7", "larder rooms expire memory: --idle soon" } do
      local code, out, err = user:type(line)
      assert.are.equal(2, code, line .. err)
      assert.are.equal("", out)
      assert.truthy(err:find "larder: %S", line)
    end
  end)

  it("names the command that was meant in its usage", function()
    local _, _, err = user:type "larder rooms get"
    assert.truthy(err:find "^Usage: larder rooms get ")
  end)

  it("ends with 1 where something is not there", function()
    local code, out, err = user:type "larder get memory: plans 7"
    assert.are.equal(1, code)
    assert.are.equal("", out)
    assert.are.equal("larder: plans: there is no 7\n", err)
  end)

  it("ends with 3 where the store refuses, says the error's code, and makes no store", function()
    for _, line in ipairs { "larder info lmdb:./nowhere", "larder put lmdb:./nowhere plans '{\"id\":1}'", "larder shell lmdb:./nowhere" } do
      local code, out, err = user:type(line)
      assert.are.equal(3, code)
      assert.are.equal("", out)
      assert.truthy(err:find "^larder: .*%(IO%)\n$", err)
      assert.are_not.equal(0, (user:type "test -e nowhere"))
    end
    assert.are.equal(3, (user:type "larder info redis:./data"))
  end)

  it("tells errors as JSON with --json, those of the command line, too", function()
    local _, _, err = user:type "larder info --json lmdb:./nowhere"
    local told = core.from_json(err)
    assert.are.equal("IO", told.error.code)
    assert.is_false(told.error.retryable)
    for _, line in ipairs { "larder find --json", "larder find --json memory: plans --limit x", "larder find --json memory: plans '{'" } do
      local code
      code, _, err = user:type(line)
      assert.are.equal(2, code)
      assert.is_string(core.from_json(err).error.message)
    end
  end)

  it("names what is wrong with an option", function()
    for line, named in pairs {
      ["find memory: a --limit x"] = "--limit: expected a whole number from 0, got \"x\"",
      ["find memory: a --sort ,"] = "names of fields",
      ["load --batch 0 - memory:"] = "--batch: expected a whole number from 1, got \"0\"",
      ["queue jobs memory: a --limit -1"] = "--limit",
      ["queue add memory: a 1 --priority 1.5"] = "--priority: expected a whole number, got \"1.5\"",
      ["queue add memory: a 1 --delay soon"] = "--delay: expected a time such as 90, 15m",
      ["queue retry memory: a b"] = "id: expected a whole number from 1, got \"b\"",
      ["queue jobs memory: a --state gone"] = "'ready', 'delayed'",
      ["rooms expire memory: --idle 5y"] = "--idle: expected a time such as",
      ["backup take memory: b --keep 0"] = "--keep: expected a whole number from 1",
      ["backup take memory: b --days x"] = "--days: expected a number from 0",
      ["migrate to memory: m x"] = "version: expected a whole number",
      ["migrate up memory: m --to -"] = "--to: expected a whole number",
      ["delete memory: a"] = "ids, or --where, or --all",
      ["delete memory: a 1 --all"] = "ids, or --where, or --all",
      ["delete memory: a --map --where {}"] = "a map has no filters",
      ["put --patch memory: a {}"] = "has no id",
      ["put memory: a [1]"] = "expected an object in JSON, got [1]",
      ["recover nowhere"] = "--dry-run",
      ["copy --transform nowhere.lua memory: memory:"] = "nowhere.lua",
      ["find memory: a --prefix b"] = "--prefix goes with --map only",
      ["find --map memory: a --sort b"] = "--sort does not go with --map",
      ["find --map memory: a {}"] = "a filter does not go with --map",
      ["find --count memory: a --limit 1"] = "--limit does not go with --count",
      ["find --distinct b memory: a --select b"] = "--select does not go with --distinct",
      ["find --map memory: a --count"] = "--count",
      ["copy lmdb:./a lmdb:./a"] = "the same store",
      ["put - a {}"] = "neither LARDER_URL nor STORAGE_TYPE is set",
      ["load nowhere memory:"] = "nowhere cannot be read",
      ["rooms import memory: nowhere"] = "nowhere cannot be read",
    } do
      local code, out, err = user:type("larder " .. line)
      assert.are.equal(2, code, line .. "\n" .. err)
      assert.are.equal("", out)
      assert.truthy(err:find(named, 1, true), line .. "\n" .. err)
    end
  end)

  it("ends with 1 where a name is that of nothing, and makes nothing of that name", function()
    user:must [[larder put --create lmdb:./data plans '{"id": 1}']]
    for _, line in ipairs { "queue jobs lmdb:./data nobody", "queue pause lmdb:./data nobody", "queue retry lmdb:./data nobody 1",
      "queue drain --yes lmdb:./data nobody", "backup list nobody", "rooms get lmdb:./data nobody", "get lmdb:./data nobody 1",
      "get --map lmdb:./data nobody 1", "delete --yes lmdb:./data nobody --all" } do
      local code, out, err = user:type("larder " .. line)
      assert.are.equal(1, code, line .. "\n" .. err)
      assert.are.equal("", out)
      assert.truthy(err:find("nobody", 1, true), line)
    end
    local info = core.from_json((user:must "larder info --json lmdb:./data"))
    assert.is_nil(next(info.queues) or next(info.maps))
    local _, err = user:must "larder find lmdb:./data plasn"
    assert.are.equal("larder: there is no collection plasn\n", err)
    _, err = user:must "larder find --map lmdb:./data seen"
    assert.are.equal("larder: there is no map seen\n", err)
  end)

  it("ends with 4 where trying again may do", function()
    do
      local store <close> = larder.open("lmdb:" .. user:path "data" .. "?readers=1")
      store:begin "read" -- the only one at once
      local code, _, err = user:type "larder info lmdb:./data"
      assert.are.equal(4, code, err)
      assert.truthy(err:find "%(BUSY%)")
    end
    user:must "larder info lmdb:./data"
  end)

  it("says so when what it prints cannot be written", function()
    user:must "larder put --create lmdb:./data plans '{\"id\":1}'"
    local code, _, err = user:type "larder find lmdb:./data plans >/dev/full"
    assert.are.equal(3, code)
    assert.truthy(err:find "standard output")
  end)

  it("takes the store of the environment for a dash", function()
    user:must "larder put --create lmdb:./data plans '{\"id\":7}'"
    assert.are.equal('{"id":7}\n', (user:must "LARDER_URL=lmdb:./data larder get --json - plans 7"))
    assert.are.equal('{"id":7}\n', (user:must "STORAGE_TYPE=lmdb STORAGE_PATH=./data larder get --json - plans 7"))
  end)

  it("uses no escape sequences in a pipe", function()
    user:must "larder put --create lmdb:./data plans '{\"id\":7}'"
    for _, line in ipairs { "larder find lmdb:./data plans", "larder info lmdb:./data", "larder verify lmdb:./data" } do
      local out, err = user:must(line)
      assert.is_nil((out .. err):find("\27", 1, true), line)
      assert.is_nil((out .. err):find("\r", 1, true), line)
    end
  end)
end)

-- What the examples of the helps find: a store with something of each kind, a directory of migrations, one of rooms.
local function furnish(user)
  local store <close> = larder.open("lmdb:" .. user:path "data")
  local plans = store:collection("plans", { indexes = { "status" } })
  plans:put { id = 7, title = "paint the attic", status = "open", cost = 40 }
  plans:put { id = 8, title = "sell the boat", status = "done", cost = -900 }
  store:rooms():save { roomName = "movie night" }
  for _, name in ipairs { "ada", "grace" } do store:rooms():rate("movie night", name, "movie-7", "like") end
  store:rooms():save { roomName = "quiet" }
  store:map("seen"):set("ada", true)
  store:map("seen"):set({ "ada", 2 }, true)
  store:rooms():export(user:path "rooms")
  user:must "mkdir migrations"
  support.write_file(user:path "migrations/0001_add_owner.lua",
    'return { up = function(tx) tx:map("owners"):set("a", 1) end, down = function(tx) tx:map("owners"):delete("a") end }\n')
  local mail = store:queue("mail", { max_attempts = 1 })
  for i = 1, 4 do mail:enqueue { to = i } end
  mail:fail(mail:dequeue(), "no such address", { retry = false })
end

-- The examples say 2; the id of a job that the action is about.
local function job_for(user, example)
  local store <close> = larder.open("lmdb:" .. user:path "data")
  return store:queue("mail"):each(example:find "retry" and "dead" or "ready")().id
end

local function examples_of(help)
  local found = {}
  local behind = help:match "\nExamples?:\n(.*)$"
  for line in (behind or ""):gmatch "[^\n]+" do found[#found + 1] = line:match "^   (.*)$" end
  return found
end

-- What only bash understands.
local function in_bash(user, example)
  if not example:find("<(", 1, true) then return example end
  return (user:type "command -v bash") == 0 and "bash -c '" .. example .. "'" or "true"
end

-- "rooms", and what is below it: "rooms list".
local function with_actions(user, name)
  local names, help = { name }, user:must("larder " .. name .. " --help")
  local below = help:match "\nCommands:(\n.-)\n\n" or ""
  for action in below:gmatch "\n   ([%l-]+) " do names[#names + 1] = name .. " " .. action end
  return names
end

describe("the help of", function()
  local user

  before_each(function() user = cli.new() end)
  after_each(function() user:remove() end)

  -- What has to be there before: backups to be listed, a dump to be loaded.
  local before = {
    ["load"] = "larder dump lmdb:./data data.jsonl",
    ["backup list"] = "larder backup take lmdb:./data ./backups",
    ["backup verify"] = "larder backup take lmdb:./data ./backups",
    ["backup"] = "larder backup take lmdb:./data ./backups",
    ["restore"] = "larder backup take lmdb:./data ./backups",
    ["migrate down"] = "larder migrate up lmdb:./data ./migrations",
    ["migrate redo"] = "larder migrate up lmdb:./data ./migrations",
  }

  for _, command in ipairs { "help", "completion", table.unpack(commands) } do
    it(command .. " has examples that work, and so has that of each of its actions", function()
      furnish(user)
      for _, name in ipairs(with_actions(user, command)) do
        local examples = examples_of((user:must("larder " .. name .. " --help")))
        assert.is_true(#examples > 0, name .. " has no example")
        if before[name] then user:type(before[name]) end
        for _, example in ipairs(examples) do
          if example:find "^larder queue .* mail 2$" then example = example:gsub("2$", tostring(job_for(user, example))) end
          user:must(in_bash(user, example))
        end
      end
    end)
  end
end)
