--- kill -9 while commits of several files run: what was acknowledged is there, and no commit is half done.
local busted = require "busted"
local assert = require "luassert"
local larder = require "larder"
local support = require "support"
local describe, it, after_each = busted.describe, busted.it, busted.after_each

local rounds = math.tointeger(os.getenv "LARDER_KILLS") or 15

--- Each commit writes its number into three documents and a room, removes or makes a fifth file, does the job of the commit before
--- and enqueues another; then it says so.
local program = [[
  local larder = require "larder"
  local pipe <close> = io.open "/proc/self/stat"
  print(pipe:read("a"):match "^%d+")
  local store = larder.open { engine = "file", path = arg[1], durability = "none" }
  local last = store:collection("plans"):get "a"
  for n = (last and last.n or 0) + 1, math.huge do
    store:update(function(tx)
      local plans = tx:collection "plans"
      for _, id in ipairs { "a", "b", "c" } do plans:put { id = id, n = n, text = ("x"):rep(n % 7 * 1000) } end
      if n % 2 == 0 then plans:delete "even" else plans:put { id = "even", n = n } end
      tx:rooms():save { roomName = "r", n = n }
      local q = tx:queue "q"
      local job = q:dequeue()
      if job then assert(job.data == n - 1 and q:ack(job)) end
      q:enqueue(n)
    end)
    print(n)
    io.stdout:flush()
  end
]]

local function run_and_kill(folder, script, lines)
  local command = ("LUA_PATH='%s' LUA_CPATH='%s' %s %s %s 2>&1"):format(
    package.path, package.cpath, os.getenv "LUA" or "lua5.4", script, folder)
  local pipe = assert(io.popen(command))
  local pid, said = pipe:read "l", 0
  for _ = 1, lines do
    local line = pipe:read "l"
    said = assert(math.tointeger(tonumber(line)), line)
  end
  os.execute("kill -9 " .. pid)
  for line in pipe:lines() do said = math.tointeger(tonumber(line)) or said end
  pipe:close()
  return said
end

describe("a file store whose process is killed", function()
  after_each(support.remove_folders)

  it("has each acknowledged commit, and none of them half", function()
    support.at_random(function()
      local folder, script = support.folder(), support.folder() .. "/program.lua"
      support.write_file(script, program)
      for _ = 1, rounds do
        local said = run_and_kill(folder, script, math.random(1, 12))
        local store <close> = larder.open { engine = "file", path = folder, durability = "none" }
        local plans = store:collection "plans"
        local n = plans:get("a").n
        assert.is_true(n == said or n == said + 1, ("%d was acknowledged, %d is there"):format(said, n))
        for _, id in ipairs { "b", "c" } do assert.are.equal(n, plans:get(id).n) end
        assert.are.equal(n, store:rooms():get("r").n)
        assert.are.equal(n % 2 == 1, plans:get "even" ~= nil)
        assert.are.equal(n % 2 == 1 and 4 or 3, plans:count())
        local q, report = store:queue "q", store:verify()
        assert.are.equal(1, q:counts().ready)
        for _, finding in ipairs(report.findings) do error(finding.where .. " " .. finding.text) end
      end
    end)
  end)
end)
