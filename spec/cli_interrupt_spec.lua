-- Ctrl-C, a real SIGINT, at several moments of everything that takes long: what it leaves is whole, and running it again ends well.
local cli = require "cli"
local core = require "larder.core"
local larder = require "larder"
local stocked = require "stocked"
local port = require "larder_port"
local shell = require "check.shell"

if not shell.has "timeout" then
  return describe("larder and Ctrl-C", function() it("are tested", function() pending "timeout of coreutils is not here" end) end)
end

local MOMENTS = { 0.1, 0.4, 0.65, 0.9 }
local MANY = 8000
local NOTHING = "4294967295 0\n" -- cksum of no bytes

local function fill(store)
  stocked.fill(store)
  store:collection("many", { indexes = { "n" } })
  store:update(function(tx)
    local many, seen, mail = tx:collection "many", tx:map "seen", tx:queue "mail"
    for i = 1, MANY do
      many:put { id = i, n = i % 10, text = ("x"):rep(100) }
      if i % 10 == 0 then
        seen:set({ "n", i }, i)
        mail:enqueue { to = i }
      end
    end
    for i = 1, 100 do tx:rooms():save { roomName = "r" .. i, ratings = { m = { { "ada", "like", i } } } } end
  end)
end

describe("larder and Ctrl-C:", function()
  local user, all

  setup(function()
    user = cli.new()
    do
      local store <close> = larder.open("lmdb:" .. user:path "data?durability=none")
      fill(store)
    end
    user:must [[
      larder put --create lmdb:./small plans '{"id": 1}'
      larder dump lmdb:./data d.jsonl
      larder rooms export lmdb:./data rooms
      larder find --json lmdb:./data many >many.jsonl
      larder backup take lmdb:./data backups
      cp -r backups/* packed
      mkdir migrations
    ]]
    user:must [[cat >migrations/0001_mark.lua <<'E'
return { up = function(tx) for i = 1, 8000 do tx:collection("many"):update(i, { marked = true }) end end }
E]]
  end)
  teardown(function() user:remove() end)

  -- What a store holds, as one word; "none" where there is no store, "nothing" where it is empty.
  local function state(path)
    if (user:type("test -e " .. path .. "/data.mdb")) ~= 0 then return "none" end
    user:must("larder verify lmdb:./" .. path)
    local sum = user:must("larder dump lmdb:./" .. path .. " | sed '1d;$d' | cksum")
    return sum == NOTHING and "nothing" or sum
  end

  -- How long it takes when nobody interrupts it.
  local function time(line)
    local start = port.monotonic()
    user:must(line)
    return port.monotonic() - start
  end

  -- Run it again and again, from `before` on, and interrupt it, also by two signals at once; `check` gets the exit code.
  local function interrupt(line, before, check)
    local interrupted = 0
    user:must("rm -rf out; " .. before)
    local seconds = time(line)
    for i, moment in ipairs(MOMENTS) do
      user:must("rm -rf out; " .. before)
      local once = i % 2 == 1 and "--foreground " or ""
      local code, out, err = user:type(("timeout --preserve-status %s-s INT %.3f %s"):format(once, seconds * moment, line))
      assert.is_true(code == 0 or code == 130, ("%s: %d\n%s"):format(line, code, err))
      if code == 130 then interrupted = interrupted + 1 end
      check(code, out, err)
    end
    assert.is_true(interrupted > 0, line .. " was never interrupted")
  end

  local function one_of(found, ...)
    for _, allowed in ipairs { ... } do
      if found == allowed then return end
    end
    error("neither: " .. tostring(found), 2)
  end

  setup(function() all = state "data" end)

  it("a dump is whole, or not there", function()
    interrupt("larder dump lmdb:./data out/d.jsonl", "mkdir out", function()
      local there = user:must "ls -A out"
      one_of(there, "", "d.jsonl\n")
      if there ~= "" then user:must "larder load --dry-run out/d.jsonl memory:" end
      user:must "larder dump --overwrite --yes lmdb:./data out/d.jsonl"
    end)
  end)

  it("a copy goes on", function()
    interrupt("larder copy lmdb:./data lmdb:./out", "", function(code)
      local again, _, said = code, "", ""
      if code ~= 0 then again, _, said = user:type "larder copy lmdb:./data lmdb:./out" end -- it may have been done just before
      assert.are.equal(all, state "out", ("%d, then %d: %s"):format(code, again, said))
    end)
  end)

  it("what a copy overwrites is there until the copy is", function()
    local small = state "small"
    interrupt("larder copy --overwrite --yes lmdb:./data lmdb:./out", "cp -r small out", function()
      one_of(state "out", small, all)
    end)
  end)

  it("a load is whole, or nothing", function()
    interrupt("larder load d.jsonl lmdb:./out", "", function()
      local found = state "out"
      one_of(found, "none", "nothing", all)
      if found ~= all then user:must "larder load d.jsonl lmdb:./out" end
      assert.are.equal(all, state "out")
    end)
  end)

  it("a load in batches goes on", function()
    interrupt("larder load --batch 500 d.jsonl lmdb:./out", "", function(code)
      if code ~= 0 then user:type "larder load --batch 500 d.jsonl lmdb:./out" end
      assert.are.equal(all, state "out")
    end)
  end)

  it("a folder of backups has whole ones only", function()
    interrupt("larder backup take lmdb:./data out", "", function()
      user:must "larder backup take lmdb:./data out"
      local names = user:must "ls out"
      for name in names:gmatch "[^\n]+" do user:must("larder backup verify out " .. name) end
    end)
  end)

  it("a restored store is the old one or the new one", function()
    local small = state "small"
    interrupt("larder restore --yes backups latest ./out", "rm -rf out.quarantine; cp -r small out", function()
      one_of(state "out", small, all)
      user:must "larder restore --yes backups latest ./out"
      assert.are.equal(all, state "out")
    end)
  end)

  it("a store that was verified is as it was", function()
    interrupt("larder verify lmdb:./out", "cp -r data out", function() assert.are.equal(all, state "out") end)
    interrupt("larder verify --repair indexes --yes lmdb:./out", "cp -r data out", function() assert.are.equal(all, state "out") end)
  end)

  it("what is recovered is told apart from what is not finished", function()
    interrupt("larder recover ./packed lmdb:./out", "", function(code)
      if code ~= 0 then user:must "rm -rf out && larder recover ./packed lmdb:./out" end
      user:must "larder verify lmdb:./out"
      assert.are.equal(MANY .. "\n", (user:must "larder find lmdb:./out many --count"))
    end)
  end)

  it("rooms are imported all or none", function()
    interrupt("larder rooms import --create lmdb:./out rooms", "", function()
      if state "out" == "none" then return end
      one_of(select(2, user:must("larder rooms list --json lmdb:./out"):gsub("\n", "")), 0, 114)
    end)
  end)

  it("files of exported rooms are whole", function()
    interrupt("larder rooms export lmdb:./data out", "rm -rf in", function()
      if (user:type "test -d out") == 0 then user:must "rm -rf in && larder rooms import --create lmdb:./in out" end
    end)
  end)

  it("documents are written all or none", function()
    interrupt("larder put --create lmdb:./out many <many.jsonl", "", function()
      if state "out" ~= "none" then one_of(user:must "larder find lmdb:./out many --count", "0\n", MANY .. "\n") end
    end)
  end)

  it("documents, rooms and jobs are deleted all or none", function()
    local function check(line, ask, ...)
      local allowed = table.pack(...)
      interrupt(line, "cp -r data out", function() one_of(user:must(ask), table.unpack(allowed)) end)
    end
    check("larder delete --yes lmdb:./out many --all", "larder find lmdb:./out many --count", "0\n", MANY .. "\n")
    check([[larder delete --yes lmdb:./out many --where '{"n": 3}']], "larder find lmdb:./out many --count", MANY .. "\n", "7200\n")
    check("larder rooms expire --yes --idle 0 lmdb:./out", "larder rooms list --json lmdb:./out | wc -l", "0\n", "114\n")
    check("larder queue drain --yes lmdb:./out mail", "larder queue jobs --json lmdb:./out mail --state ready | wc -l", "0\n", "807\n")
  end)

  it("a migration is done, or not begun", function()
    interrupt("larder migrate up lmdb:./out migrations", "cp -r data out", function(code)
      one_of(user:must [[larder find lmdb:./out many '{"marked": true}' --count]], "0\n", MANY .. "\n")
      if code ~= 0 then user:must "larder migrate up lmdb:./out migrations" end
      assert.are.equal(MANY .. "\n", (user:must [[larder find lmdb:./out many '{"marked": true}' --count]]))
      user:must "larder verify lmdb:./out"
    end)
  end)

  it("what was printed are whole lines", function()
    interrupt("larder find --json lmdb:./data many", "", function(_, out)
      one_of(out:sub(-1), "", "\n")
      for line in out:gmatch "[^\n]+" do core.from_json(line) end
    end)
  end)
end)
