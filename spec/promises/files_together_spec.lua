-- Several processes, and several file systems, below one root. LARDER_RACE_SECONDS (1) makes it longer.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"
local support = require "spec.support"

describe("files", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  local seconds = tonumber(os.getenv "LARDER_RACE_SECONDS") or 1

  -- f runs while another process does `again` all the time; both get files.
  local function while_another(again, f)
    local last = port.monotonic() + seconds + 10 -- whatever becomes of us
    local pid, pipe = forked.start(function()
      local files <close> = larder.files{ path = folder, durability = "none" }
      while port.monotonic() < last do again(files) end
    end)
    local files <close> = larder.files{ path = folder, durability = "none" }
    local stop, rounds = port.monotonic() + seconds / 3, 0
    local ok, raised = pcall(function()
      repeat
        f(files)
        rounds = rounds + 1
      until port.monotonic() > stop and rounds > 20
    end)
    port.kill(pid, 9)
    port.waitpid(pid)
    local said = forked.drain(pipe)
    if not ok then error(raised, 0) end
    assert.are.equal("", said)
  end

  it("are written whatever empty directories somebody removes, and leftovers somebody sweeps", function()
    local written = 0
    while_another(function(files)
      files:delete "d/e/f"
      for _, dir in ipairs{ "d/e", "d" } do
        local ok, e = pcall(files.remove_dir, files, dir)
        assert(ok or e.code == "NOT_EMPTY", tostring(e))
      end
      assert(select("#", files:delete_older_than("", 0)) == 2)
    end, function(files)
      files:write("d/e/f", "x")
      local writer <close> = files:open_writer("d/e/f")
      writer:write "y"
      writer:close()
      files:make_dir "d/e"
      written = written + 1
    end)
    assert.is_true(written > 20)
  end)

  it("of one path are whole, whoever wrote last", function()
    local mine, theirs = ("m"):rep(100000), ("t"):rep(150000)
    local seen = { m = 0, t = 0 }
    while_another(function(files) files:write("f", theirs) end, function(files)
      files:write("f", mine)
      local found = files:read "f"
      assert(found == mine or found == theirs, "is neither")
      seen[found:sub(1, 1)] = seen[found:sub(1, 1)] + 1
    end)
    assert.is_true(seen.m + seen.t > 20)
  end)

  it("are made by one of all who use if_absent", function()
    local pids, won = {}, 0
    for i = 1, 4 do
      pids[i] = { forked.start(function(to)
        local files <close> = larder.files{ path = folder, durability = "none" }
        for number = 1, 200 do
          local ok, e = pcall(files.write, files, "d/" .. number, tostring(i), { if_absent = true })
          assert(ok or e.code == "EXISTS", tostring(e))
          if ok then port.write(to, "w") end
        end
      end) }
    end
    for _, one in ipairs(pids) do
      local said = forked.drain(one[2])
      port.waitpid(one[1])
      assert.is_nil(said:find "!", said)
      won = won + #said
    end
    assert.are.equal(200, won)
  end)

  it("are moved to another file system below the root", function()
    local files <close> = larder.files(folder)
    files:make_dir "mounted"
    if not os.execute(("mount -t tmpfs -o size=256k tmpfs '%s/mounted' 2>/dev/null"):format(folder)) then
      pending "file systems cannot be mounted here"
      return
    end
    local ok, problem = pcall(function()
      files:write("f", "content")
      files:write("big", ("x"):rep(300000))
      files:move("f", "mounted/d/g")
      assert.are.equal("content", files:read "mounted/d/g")
      assert.is_false(files:exists "f")
      files:write("f", "other")
      support.raises("EXISTS", "mounted/d/g", files.move, files, "f", "mounted/d/g", { if_absent = true })
      support.raises("IS_A_DIRECTORY", "mounted/d", files.move, files, "f", "mounted/d")
      support.raises("NO_SPACE", "mounted/big", files.move, files, "big", "mounted/big")
      assert.are.same({ "other", 300000 }, { files:read "f", files:stat "big".size })
      files:move("mounted/d/g", "f")
      assert.are.equal("content", files:read "f")
      support.none(files:list("mounted", { recursive = true }))
    end)
    os.execute(("umount '%s/mounted'"):format(folder))
    assert.is_true(ok, tostring(problem))
  end)
end)
