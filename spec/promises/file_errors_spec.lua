--- System calls that fail: the Nth of each kind, for every N, under a commit of several files.
--- Needs strace, and no sanitizers, which do not work under it (spec/c/test_file_calls.c does the like with them).
---
--- An acknowledged commit is there when the store is opened again, a refused one is there whole or not at all;
--- what was there before stays.
local busted = require "busted"
local assert = require "luassert"
local larder = require "larder"
local support = require "support"
local describe, it, after_each = busted.describe, busted.it, busted.after_each

local strace = not os.getenv "LD_PRELOAD" and os.execute "strace -o /dev/null true >/dev/null 2>&1"

local program = [[
  local larder = require "larder"
  local store = larder.open { engine = "file", path = arg[1], durability = "commit" }
  local ok, raised = pcall(store.update, store, function(tx)
    local plans = tx:collection "plans"
    for _, id in ipairs { "a", "b", "c" } do plans:put { id = id, n = 2, text = ("x"):rep(9000) } end
    plans:delete "gone"
    tx:rooms():save { roomName = "r", n = 2 }
  end)
  print(ok, ok or raised.code)
  print(pcall(function() return store:collection("plans"):get("a").n end))
]]

local function fill(folder)
  local store <close> = larder.open { engine = "file", path = folder, durability = "none" }
  for _, id in ipairs { "a", "b", "c", "gone" } do store:collection("plans"):put { id = id, n = 1 } end
  store:rooms():save { roomName = "r", n = 1 }
end

--- What the program said, and whether a call was made to fail.
local function run(folder, script, call, code, n)
  local log = support.folder() .. "/log"
  local command = ("LUA_PATH='%s' LUA_CPATH='%s' strace -f -o %s -e trace=%s -e inject=%s:error=%s:when=%d %s %s %s 2>&1"):format(
    package.path, package.cpath, log, call, call, code, n, os.getenv "LUA" or "lua5.4", script, folder)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "a", support.read_file(log):find("INJECTED", 1, true) ~= nil
end

local function check(folder, said, label)
  local store <close> = larder.open { engine = "file", path = folder, durability = "none" }
  local plans = store:collection "plans"
  local n = assert(plans:get "a", label).n
  for _, id in ipairs { "b", "c" } do assert.are.equal(n, plans:get(id).n, label) end
  assert.are.equal(n, store:rooms():get("r").n, label)
  assert.are.equal(n == 1, plans:has "gone", label)
  if said:find "^true" then assert.are.equal(2, n, label) end
  plans:put { id = "a", n = 3 }
  assert.are.equal(3, plans:get("a").n, label)
end

local calls = {
  { "fsync", "EIO" }, { "write", "ENOSPC" }, { "renameat", "EIO" }, { "linkat", "EPERM" }, { "unlinkat", "EACCES" },
  { "pread64", "EIO" }, { "mkdirat", "ENOSPC" },
}

describe("a file store whose system calls fail", function()
  after_each(support.remove_folders)

  if not strace then
    it("is not tried without strace", function() busted.pending "strace cannot be used here" end)
  end

  for _, of in ipairs(strace and calls or {}) do
    it(("keeps its commits whole: %s, %s"):format(of[1], of[2]), function()
      local script, failed = support.folder() .. "/program.lua", 0
      support.write_file(script, program)
      for n = 1, 60 do
        local folder = support.folder()
        fill(folder)
        local said, injected = run(folder, script, of[1], of[2], n)
        local label = ("%s %d: %s"):format(of[1], n, said)
        assert.is_nil(said:find("CORRUPT", 1, true), label)
        check(folder, said, label)
        if not injected then break end
        failed = failed + 1
      end
      assert.is_true(failed > 0 and failed < 60, ("%d calls failed"):format(failed))
    end)
  end
end)
