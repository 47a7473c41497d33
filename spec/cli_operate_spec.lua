-- What operators do: larder info, stats, rooms, queue, verify, recover, migrate, as a user types them.
local cli = require "cli"
local core = require "larder.core"
local larder = require "larder"
local support = require "support"

describe("larder", function()
  local user

  local function open() return larder.open("lmdb:" .. user:path "data") end

  before_each(function()
    user = cli.new()
    local store <close> = open()
    local rooms = store:rooms()
    rooms:save { roomName = "movie night", sort = "random", password = "popcorn" }
    for _, name in ipairs { "ada", "grace" } do rooms:rate("movie night", name, "movie-7", "like", 1709319601000) end
    rooms:save { roomName = "quiet\27[2J" }
    store:collection("plans", { key = "nr", indexes = { "status" } }):put { nr = 7, status = "open" }
  end)
  after_each(function() user:remove() end)

  describe("info and stats", function()
    it("say what is there", function()
      local found = core.from_json((user:must "larder info --json lmdb:./data"))
      assert.are.equal(2, found.rooms)
      support.same({ documents = 1, indexes = { "status" }, key = "nr", name = "plans" }, found.collections[1])
      assert.truthy((user:must "larder info lmdb:./data"):find("plans +1 +nr +status"))
      local stats = core.from_json((user:must "larder stats --json lmdb:./data"))
      assert.are.equal(1, stats.rooms.matches)
      assert.truthy((user:must "larder stats lmdb:./data"):find "match rate +100.0 %%")
    end)
  end)

  describe("rooms", function()
    it("are listed without passwords, and without escape sequences", function()
      local out = user:must "larder rooms list lmdb:./data"
      assert.truthy(out:find("\nmovie night ", 1, true))
      assert.truthy(out:find("quiet\\x1b[2J", 1, true))
      assert.is_nil((out .. user:must "larder rooms list --json lmdb:./data"):find "popcorn")
      assert.are.equal("", (user:must "larder rooms list --json lmdb:./data --prefix x"))
      assert.are.equal(1, select(2, user:must("larder rooms list --json lmdb:./data --limit 1"):gsub("\n", "")))
    end)

    it("are printed whole, but for the password", function()
      local room = core.from_json((user:must "larder rooms get --json lmdb:./data 'movie night'"))
      assert.are.equal("grace", room.ratings["movie-7"][2][1])
      assert.is_nil(room.password)
      assert.is_nil(core.from_json((user:must "larder rooms get --brief --json lmdb:./data 'movie night'")).ratings)
      assert.are.equal(1, (user:type "larder rooms get lmdb:./data nowhere"))
      assert.are.equal(1, (user:type "larder rooms matches lmdb:./data nowhere"))
    end)

    it("have matches", function()
      local out = user:must "larder rooms matches lmdb:./data 'movie night'"
      assert.truthy(out:find("movie-7  2024-03-01 19:00:01  ada, grace\n", 1, true), out)
    end)

    it("are deleted and expired, and with --dry-run not", function()
      local out = user:must "larder rooms expire --dry-run lmdb:./data --idle 0"
      assert.are.equal("movie night\nquiet\\x1b[2J\n", out)
      user:must "larder rooms delete --dry-run lmdb:./data 'movie night'"
      assert.are.equal(2, (user:type "larder rooms delete lmdb:./data 'movie night'"))
      assert.are.equal(2, (user:type "larder rooms expire lmdb:./data --idle 0"))
      assert.are.equal("", (user:must "larder rooms expire --yes lmdb:./data --idle 1d"))
      user:must "larder rooms get lmdb:./data 'movie night' && larder rooms delete --yes lmdb:./data 'movie night'"
      assert.are.equal(1, (user:type "larder rooms delete --yes lmdb:./data 'movie night'"))
    end)

    it("go out and in again, all or none", function()
      local _, err = user:must "larder rooms export lmdb:./data out"
      assert.are.equal("2 rooms exported\n", err)
      user:must "larder rooms import --create lmdb:./other out"
      user:must "echo '{' >out/broken.json"
      assert.are.equal(2, (user:type "larder rooms import --replace lmdb:./other out"))
      local code, _, told = user:type "larder rooms import --replace --yes lmdb:./other out"
      assert.are.equal(3, code)
      assert.truthy(told:find("broken.json:2:1", 1, true), told)
    end)
  end)

  describe("queue", function()
    local ids

    before_each(function()
      local store <close> = open()
      ids = store:queue("mail", { max_attempts = 1 }):enqueue_many { { data = { to = "ada" } }, { data = { to = "bob" } }, { data = 3 } }
      store:queue("mail"):fail(store:queue("mail"):dequeue(), "no such address", { retry = false })
    end)

    local function state(id)
      local store <close> = open()
      local job = store:queue("mail"):get(id)
      return job and job.state
    end

    it("list says how many jobs are in each state; jobs says which, and why", function()
      assert.are.equal("queue  ready  delayed  running  done  dead  cancelled\nmail       2        0        0     0     1          0\n",
        (user:must "larder queue list lmdb:./data"))
      local out = user:must "larder queue jobs lmdb:./data mail --state dead"
      assert.truthy(out:find('dead +1/1 +%S+ %S+ +{"to":"ada"} +no such address\n'), out)
      assert.are.equal(3, select(2, user:must("larder queue jobs --json lmdb:./data mail"):gsub("\n", "")))
    end)

    it("adds a job, and prints its id", function()
      local id = math.tointeger(tonumber((user:must [[larder queue add lmdb:./data mail '{"to": "eve"}' --delay 1h --key k]])))
      assert.are.equal("delayed", state(id))
      local again, err = user:must [[larder queue add lmdb:./data mail '{"to": "eve"}' --key k]]
      assert.are.equal(id .. "\n", again)
      assert.truthy(err:find "has the key k")
    end)

    it("retries, cancels and deletes jobs, and with --dry-run does not", function()
      user:must("larder queue retry --dry-run lmdb:./data mail " .. ids[1])
      assert.are.equal("dead", state(ids[1]))
      user:must("larder queue retry lmdb:./data mail " .. ids[1])
      assert.are.equal("ready", state(ids[1]))
      assert.are.equal(1, (user:type("larder queue retry lmdb:./data mail " .. ids[1])))
      assert.are.equal(2, (user:type("larder queue cancel lmdb:./data mail " .. ids[2])))
      user:must("larder queue cancel --yes lmdb:./data mail " .. ids[2])
      assert.are.equal("cancelled", state(ids[2]))
      user:must("larder queue delete --yes lmdb:./data mail " .. ids[2])
      assert.is_nil(state(ids[2]))
    end)

    it("pauses, resumes and drains", function()
      user:must "larder queue pause lmdb:./data mail"
      assert.truthy((user:must "larder stats lmdb:./data"):find "paused\n")
      local _, err = user:must "larder queue resume lmdb:./data mail && larder queue drain --yes lmdb:./data mail"
      assert.truthy(err:find "mail: 2 jobs deleted")
      assert.are.equal("dead", state(ids[1]))
      user:must "larder queue retry-all lmdb:./data mail"
      assert.are.equal("ready", state(ids[1]))
    end)
  end)

  describe("verify and recover", function()
    it("end with 0 for what is sound", function()
      local _, err = user:must "larder verify lmdb:./data"
      assert.truthy(err:find "^sound: %d+ rows, 2 rooms, 1 documents, 1 entries")
      assert.is_true(core.from_json((user:must "larder verify --json lmdb:./data")).ok)
    end)

    it("end with 1 and name what is damaged; what is sound is saved", function()
      do
        local store <close> = open()
        for i = 1, 500 do store:collection("plans"):put { nr = i, text = ("plan %03d"):format(i) } end
      end
      local bytes, count = support.read_file(user:path "data/data.mdb"):gsub("plan 250", "plan 2X0") -- older states, too
      assert.is_true(count > 0)
      support.write_file(user:path "data/data.mdb", bytes)
      local code, out = user:type "larder verify lmdb:./data"
      assert.are.equal(1, code)
      assert.truthy(out:find("document 250 of collection \"plans\"", 1, true), out)
      assert.are.equal(1, (user:type "larder recover --dry-run ./data"))
      assert.are_not.equal(0, (user:type "test -e saved"))
      code = user:type "larder recover ./data lmdb:./saved"
      assert.are.equal(1, code)
      assert.are.equal("499\n", (user:must "larder find lmdb:./saved plans --count"))
      user:must "larder verify lmdb:./saved"
    end)
  end)

  describe("migrate", function()
    before_each(function()
      user:must "mkdir m"
      support.write_file(user:path "m/0001_owner.lua", [[return {
        up = function(tx) tx:collection("plans"):update_where({}, { owner = "ada" }) end,
        down = function(tx) tx:collection("plans"):update_where({}, { ["$unset"] = { owner = true } }) end }]])
      support.write_file(user:path "m/0002_count.lua", [[return {
        up = function(tx, ctx) ctx.log "counting"; tx:map("n"):set("plans", tx:collection("plans"):count()) end }]])
    end)

    local function owner()
      local store <close> = open()
      return store:collection("plans"):get(7).owner
    end

    it("tries dry, runs, tells the state, takes back", function()
      local out = user:must "larder migrate up --dry-run lmdb:./data m"
      assert.truthy(out:find "up 0001 owner")
      assert.truthy(out:find("counting", 1, true))
      assert.is_nil(owner())
      user:must "larder migrate up --to 1 lmdb:./data m"
      assert.are.equal("ada", owner())
      out = user:must "larder migrate status lmdb:./data m"
      assert.truthy(out:find "\n +1  owner  done  ")
      assert.truthy(out:find "\n +2  count  pending")
      assert.are.equal(2, (user:type "larder migrate down lmdb:./data m"))
      user:must "larder migrate down --yes lmdb:./data m"
      assert.is_nil(owner())
    end)

    it("runs batches, as many as it is told, and pauses those of others", function()
      support.write_file(user:path "m/0003_mark.lua", [[return { collection = "plans", size = 100, batch = function(plan)
        plan.marked = true end }]])
      do
        local store <close> = open()
        store:update(function(tx)
          for i = 1, 300 do tx:collection("plans"):put { nr = i } end
        end)
      end
      local out = user:must "larder migrate up --batches 2 --pause-ms 1 --program 1.4.0 lmdb:./data m"
      assert.truthy(out:find "\n +200 of 300 documents: 200 changed, 0 deleted\n", out)
      user:must "larder migrate pause lmdb:./data"
      local code, _, problem = user:type "larder migrate up lmdb:./data m"
      assert.are.equal(3, code)
      assert.truthy(problem:find("paused since", 1, true), problem)
      assert.are.equal(0, (user:type "larder migrate pause lmdb:./data"))
      user:must "larder migrate resume lmdb:./data"
      user:must "larder migrate up lmdb:./data m"
      local store <close> = open()
      assert.are.equal(0, store:collection("plans"):count { marked = { ["$exists"] = false } })
      assert.are.equal("1.4.0", larder.migrations(store, user:path "m"):status()[1].program)
    end)

    it("says what speaks against running", function()
      user:must "larder migrate up lmdb:./data m && rm m/0001_owner.lua"
      local code, out = user:type "larder migrate validate lmdb:./data m"
      assert.are.equal(1, code)
      assert.truthy(out:find('"owner": was run', 1, true), out)
      code, out = user:type "larder migrate validate --json lmdb:./data m"
      assert.are.equal(1, code)
      assert.truthy(core.from_json(out).message:find('"owner": was run', 1, true), out)
      assert.are.equal(3, (user:type "larder migrate up lmdb:./data m"))
      assert.are.equal(2, (user:type "larder migrate to lmdb:./data m x"))
    end)
  end)
end)
