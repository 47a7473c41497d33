-- larder dump, load, copy, backup and restore, as a user types them; and what Ctrl-C leaves of them.
local cli = require "cli"
local core = require "larder.core"
local larder = require "larder"
local support = require "support"

describe("larder", function()
  local user

  before_each(function()
    user = cli.new()
    local store <close> = larder.open("lmdb:" .. user:path "data")
    store:rooms():save { roomName = "movie night" }
    store:rooms():rate("movie night", "ada", "movie-7", "like")
    store:collection("plans", { indexes = { "status" } }):put { id = 7, status = "open" }
    store:map("seen"):set("ada", 1)
    local mail = store:queue("mail", { lease = 60, max_attempts = 2 })
    mail:enqueue_many { { data = { to = "ada" }, key = "a" }, { data = { to = "bob" }, priority = -1 }, { data = 3, delay = 3600 } }
    mail:fail(mail:dequeue(), "no such address", { retry = false })
  end)
  after_each(function() user:remove() end)

  local function found(url)
    local store <close> = larder.open("lmdb:" .. user:path(url))
    local jobs = {}
    for _, state in ipairs { "ready", "delayed", "dead" } do
      for job in store:queue("mail"):each(state) do jobs[#jobs + 1] = job end
    end
    assert.are.equal(3, #jobs)
    return { store:rooms():get("movie night"), store:collection("plans"):find { where = { status = "open" } }, store:map("seen"):get "ada",
      jobs }
  end

  describe("dump and load", function()
    it("bring a store to another place", function()
      local _, err = user:must "larder dump lmdb:./data d.jsonl"
      assert.are.equal("dumped: 1 rooms, 1 documents, 1 entries, 3 jobs\n", err)
      user:must "larder load d.jsonl lmdb:./there"
      support.same(found "data", found "there")
    end)

    it("go through pipes, whole", function()
      user:must "larder dump lmdb:./data | gzip >d.gz && gunzip <d.gz >d.jsonl && larder load d.jsonl lmdb:./there"
      support.same(found "data", found "there")
    end)

    it("go through a pipe with a name, and make no store of what is not there", function()
      user:must "mkfifo p; larder dump lmdb:./data >p & larder load p lmdb:./there && wait $!"
      support.same(found "data", found "there")
      assert.are.equal(2, (user:type "larder load nowhere.jsonl lmdb:./new"))
      assert.are.equal(2, (user:type "larder rooms import --create lmdb:./new nowhere"))
      assert.are.equal(2, (user:type "larder copy --transform nowhere.lua lmdb:./data lmdb:./new"))
      assert.are_not.equal(0, (user:type "test -e new"))
    end)

    it("replace nothing unasked", function()
      user:must "larder dump lmdb:./data d.jsonl"
      assert.are.equal(3, (user:type "larder dump lmdb:./data d.jsonl"))
      assert.are.equal(2, (user:type "larder dump --overwrite lmdb:./data d.jsonl"))
      user:must "larder dump --overwrite --yes lmdb:./data d.jsonl"
      assert.are.equal(3, (user:type "larder load d.jsonl lmdb:./data"))
      local code, _, err = user:type "larder load --replace --yes d.jsonl lmdb:./data"
      assert.are.equal(3, code)
      assert.truthy(err:find('queue "mail": is there already', 1, true), err)
      user:must "larder dump --collection plans lmdb:./data plans.jsonl"
      assert.are.equal(3, (user:type "larder load plans.jsonl lmdb:./data"))
      user:must "larder load --replace --yes plans.jsonl lmdb:./data"
    end)

    it("make nothing with --dry-run, and refuse what was cut off", function()
      user:must "larder dump lmdb:./data d.jsonl && larder load --dry-run d.jsonl lmdb:./there"
      assert.are_not.equal(0, (user:type "test -e there"))
      user:must "sed -i '$d' d.jsonl"
      local code, _, err = user:type "larder load --dry-run d.jsonl lmdb:./there"
      assert.are.equal(3, code)
      assert.truthy(err:find "line %d+")
    end)
  end)

  describe("copy", function()
    it("copies, and says what both hold", function()
      local report = core.from_json((user:must "larder copy --json lmdb:./data lmdb:./there"))
      assert.is_true(report.verified)
      assert.are.equal(1, report.collections.plans.count)
      support.same(found "data", found "there")
      assert.are.equal(3, (user:type "larder copy lmdb:./data lmdb:./there"))
      assert.are.equal(2, (user:type "larder copy --overwrite lmdb:./data lmdb:./there"))
      local out, err = user:must "larder copy --overwrite --yes lmdb:./data lmdb:./there"
      assert.truthy(out:find("\ncollection  plans      1  %x+\n"), out)
      assert.truthy(err:find "both hold the same")
    end)

    it("an empty folder, which a kill may leave, is taken for no store", function()
      user:must "larder dump lmdb:./data d.jsonl"
      local lines = { "copy lmdb:./data lmdb:./out", "load d.jsonl lmdb:./out", "load --batch 2 d.jsonl lmdb:./out",
        "copy lmdb:./data file:./out", "recover ./data lmdb:./out", [[put --create lmdb:./out plans '{"id": 1}']] }
      for _, line in ipairs(lines) do user:must("rm -rf out; mkdir out; larder " .. line) end
    end)

    it("says with --dry-run what there is, and makes nothing", function()
      local _, err = user:must "larder copy --dry-run lmdb:./data lmdb:./there"
      assert.truthy(err:find "would copy %d+ rows")
      assert.are_not.equal(0, (user:type "test -e there"))
    end)

    it("goes through a function", function()
      support.write_file(user:path "t.lua", "return function(kind, document) document.seen = kind return document end")
      user:must "larder copy --collection plans --transform t.lua lmdb:./data lmdb:./there"
      assert.truthy((user:must "larder get --json lmdb:./there plans 7"):find '"seen":')
      assert.are.equal(2, (user:type "larder copy --transform nowhere.lua lmdb:./data lmdb:./other"))
    end)
  end)

  describe("backup and restore", function()
    it("take, list, verify, put back, and keep what was there", function()
      local name = user:must("larder backup take lmdb:./data b --keep 2"):gsub("\n", "")
      user:must "larder put lmdb:./data plans '{\"id\": 8}' && larder backup take lmdb:./data b --keep 2"
      assert.are.equal(3, select(2, user:must("larder backup list b"):gsub("\n", "")))
      user:must("larder backup verify b " .. name)
      assert.are.equal(2, (user:type("larder restore b " .. name .. " ./data")))
      user:must("larder restore --dry-run b " .. name .. " ./data")
      assert.are.equal("2\n", (user:must "larder find lmdb:./data plans --count"))
      local _, err = user:must("larder restore --yes b " .. name .. " ./data")
      assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
      local kept = err:match "now ([^\n]+)"
      assert.are.equal("2\n", (user:must("larder find lmdb:" .. kept .. " plans --count")))
    end)

    it("end with 1 for a damaged backup", function()
      local name = user:must("larder backup take lmdb:./data b"):gsub("\n", "")
      user:must("sed -i s/movie-7/movie-8/ b/" .. name .. "/data.mdb")
      assert.are.equal(1, (user:type "larder backup verify b latest"))
      assert.are.equal(3, (user:type "larder restore --yes b latest ./data"))
      assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
    end)
  end)

  if not cli.has_terminal then return end

  describe("when Ctrl-C meets it,", function()
    before_each(function()
      local store <close> = larder.open("lmdb:" .. user:path "data?durability=none")
      local text = ("x"):rep(2000)
      for batch = 0, 39 do
        store:update(function(tx)
          for i = 1, 2000 do tx:collection("many"):put { id = batch * 2000 + i, text = text, n = i } end
        end)
      end
    end)

    -- Type it, wait for its bar, interrupt it.
    local function interrupt(line)
      local terminal <close> = user:terminal(80)
      terminal:enter(line .. "; echo code $?.")
      terminal:sees("%[#*%-+%] +%d+%%", true)
      terminal:press "C-c"
      terminal:sees "code 130."
      terminal:sees "interrupted"
    end

    it("a dump leaves no file", function()
      interrupt "larder dump lmdb:./data d.jsonl"
      local ours = "'^[.]\\(line\\|in\\|out\\|err\\|history\\)$'"
      assert.are.equal("bin\ndata\n", (user:must("ls -A | grep -v " .. ours)))
    end)

    it("a copy goes on when it is run again", function()
      interrupt "larder copy lmdb:./data lmdb:./there"
      local report = core.from_json((user:must "larder copy --json lmdb:./data lmdb:./there"))
      assert.is_true(report.verified and report.resumed)
      assert.are.equal("80000\n", (user:must "larder find lmdb:./there many --count"))
    end)

    it("a load leaves nothing", function()
      user:must "larder dump lmdb:./data d.jsonl"
      interrupt "larder load d.jsonl lmdb:./there"
      assert.are.equal("0\n", (user:must "larder find lmdb:./there many --count"))
      user:must "larder verify lmdb:./there"
    end)
  end)
end)
