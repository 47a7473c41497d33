-- What all commands have in common: --json wherever something is printed, --dry-run wherever something is written, a question before
-- something is lost.
local cli = require "cli"
local core = require "larder.core"
local larder = require "larder"
local support = require "support"

local function fill(user)
  local store <close> = larder.open("lmdb:" .. user:path "data")
  store:collection("plans", { indexes = { "status" } }):put { id = 7, status = "open" }
  store:rooms():save { roomName = "movie night" }
  for _, name in ipairs { "ada", "grace" } do store:rooms():rate("movie night", name, "movie-7", "like") end
  store:map("seen"):set("ada", 1)
  local mail = store:queue("mail", { max_attempts = 1 })
  local ids = mail:enqueue_many { { data = 1 }, { data = 2 } }
  mail:fail(mail:dequeue(), "no", { retry = false })
  return ids
end

-- The lines, filled in: what only looks, and what writes or makes something.
local looks = { "info DATA", "stats DATA", "get DATA plans 7", "get --map DATA seen ada", "find DATA plans", "find --map DATA seen",
  "find DATA plans --count", "find DATA plans --distinct id", "find DATA plans --explain", "rooms list DATA",
  "rooms get DATA 'movie night'",
  "rooms matches DATA 'movie night'", "queue list DATA", "queue jobs DATA mail", "backup list backups", "backup verify backups latest",
  "verify DATA", "migrate status DATA migrations" }
local writes = { [[put DATA plans '{"id": 8}']], "put --map DATA seen ada 2", "delete --yes DATA plans 7", "delete --yes DATA plans --all",
  "delete --yes --map DATA seen ada", "rooms delete --yes DATA 'movie night'", "rooms expire --yes DATA --idle 0", "rooms export DATA new",
  "rooms import --replace --yes DATA rooms", "rooms import --create lmdb:./new rooms", "queue add DATA mail 5",
  "queue retry DATA mail DEAD",
  "queue cancel --yes DATA mail READY", "queue delete --yes DATA mail READY", "queue retry-all DATA mail", "queue pause DATA mail",
  "queue resume DATA mail", "queue prune --yes DATA mail", "queue drain --yes DATA mail", "dump DATA new.jsonl", "load d.jsonl lmdb:./new",
  "load --batch 2 d.jsonl lmdb:./new", "copy DATA lmdb:./new", "backup take DATA new", "restore --yes backups latest ./data",
  "verify --repair indexes --yes DATA", "recover ./data lmdb:./new", "migrate up DATA migrations", "migrate down --yes DATA done",
  "migrate redo --yes DATA done", "migrate to --yes DATA migrations 1", "migrate baseline --create lmdb:./new migrations 1",
  [[put --create lmdb:./new plans '{"id": 1}']], "migrate up --create lmdb:./new migrations", "migrate pause DATA", "migrate resume DATA" }
local destroys = { "delete", "rooms delete", "rooms expire", "rooms import", "queue cancel", "queue delete", "queue prune",
  "queue drain", "dump",
  "load", "copy", "restore", "verify", "migrate down", "migrate redo", "migrate to" }

-- The command of a line: "queue jobs".
local function name_of(line)
  local name = line:match "^%l+"
  local groups = { rooms = true, queue = true, backup = true, migrate = true }
  return groups[name] and line:match "^%l+ [%l-]+" or name
end

describe("of larder's commands", function()
  local user, ids

  setup(function()
    user = cli.new()
    ids = fill(user)
    user:must [[
      larder dump lmdb:./data d.jsonl; larder rooms export lmdb:./data rooms; mkdir migrations done
      echo 'return { up = function(tx) tx:map("up"):set(1, 1) end }' >migrations/0001_one.lua
      echo 'return { up = function(tx) tx:map("seen"):set("eve", 1) end,' >done/0001_eve.lua
      echo 'down = function(tx) tx:map("seen"):delete "eve" end }' >>done/0001_eve.lua
      larder backup take lmdb:./data backups; cp -r data before]]
  end)
  teardown(function() user:remove() end)

  -- A line on the store as it was at first.
  local function filled(line)
    user:must("rm -rf new new.jsonl data data.quarantine; cp -r before data")
    if line:find " done$" or line:find " done " then user:must "larder migrate up lmdb:./data done" end
    return (line:gsub("DATA", "lmdb:./data"):gsub("DEAD", tostring(ids[1])):gsub("READY", tostring(ids[2])))
  end

  local function state()
    return user:must "ls -A | grep -v '^[.]'; find rooms backups migrations | sort; larder dump lmdb:./data | sed '1d;$d'"
  end

  local function all_names()
    local names = {}
    local function below(help) return (help:match "\nCommands:(\n.-)\n\n" or ""):gmatch "\n   ([%l-]+) " end
    for name in below(user:must "larder --help") do
      local actions = 0
      for action in below(user:must("larder " .. name .. " --help")) do
        actions = actions + 1
        names[name .. " " .. action] = true
      end
      if actions == 0 then names[name] = true end
    end
    names.help, names.completion, names.shell = nil, nil, nil
    return names
  end

  it("each is tested here", function()
    local missing = all_names()
    for _, list in ipairs { looks, writes } do
      for _, line in ipairs(list) do missing[name_of(line)] = nil end
    end
    missing["migrate validate"] = nil -- prints what is wrong, and nothing is: spec/cli_operate_spec.lua
    assert.is_nil((next(missing)))
  end)

  for _, line in ipairs(looks) do
    it(name_of(line) .. " prints JSON: " .. line, function()
      local out = user:must("larder " .. filled(line) .. " --json")
      assert.is_true(#out > 0)
      for one in out:gmatch "[^\n]+" do core.from_json(one) end
      local before = state()
      user:must("larder " .. line:gsub("DATA", "lmdb:./data"))
      assert.are.equal(before, state())
    end)
  end

  for _, line in ipairs(writes) do
    it(name_of(line) .. " tells as JSON what it does, and with --dry-run does not: " .. line, function()
      local command = "larder " .. filled(line)
      local before = state()
      local out = user:must(command .. " --json --dry-run")
      assert.are.equal(before, state())
      for one in out:gmatch "[^\n]+" do core.from_json(one) end
      user:must(command:gsub(" %-%-yes", "") .. " --dry-run") -- nothing to ask for
      assert.are.equal(before, state())
      out = user:must(command .. " --json")
      assert.is_true(#out > 0)
      for one in out:gmatch "[^\n]+" do core.from_json(one) end
      local same = line:find "resume" or line:find "^verify" or line:find "^restore" or line:find "redo" or line:find "import %-%-replace"
      if not same then assert.are_not.equal(before, state()) end
    end)
  end

  it("those that destroy take --yes", function()
    for _, name in ipairs(destroys) do
      assert.truthy(user:must("larder " .. name .. " --help"):find("-y, --yes", 1, true), name)
    end
  end)

  it("numbers of figures are plain JSON, and lists are lists", function()
    filled ""
    assert.are.equal(1, core.from_json((user:must "larder stats --json lmdb:./data")).rooms.match_rate)
    for _, name in ipairs { "info", "stats", "verify" } do
      assert.is_nil((user:must("larder " .. name .. " --json lmdb:./data"):find("$", 1, true)), name)
    end
    local report = core.from_json((user:must "larder migrate up --json lmdb:./data migrations"))
    assert.are.equal("one", report.migrations[1].name)
    support.same(larder.array {}, report.migrations[1].messages)
    assert.are.equal('{"migrations":[]}\n', (user:must "larder migrate up --json lmdb:./data migrations"))
  end)
end)
