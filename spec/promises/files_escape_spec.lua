-- Nothing leads out of the root of files: directories are swapped for links by another process while each method works.
-- LARDER_RACE_SECONDS (1) makes it longer.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"
local support = require "spec.support"

describe("files", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  local seconds = tonumber(os.getenv "LARDER_RACE_SECONDS") or 1

  -- While f runs, what is at one place is swapped for what is at the other, and back, all the time.
  local function while_swapping(one, other, f)
    local last = port.monotonic() + seconds + 10 -- whatever becomes of us
    local pid, pipe = forked.start(function()
      while port.monotonic() < last do port.exchange(one, other) end
    end)
    local ok, raised = pcall(f)
    port.kill(pid, 9)
    port.waitpid(pid)
    port.close(pipe)
    if not ok then error(raised, 0) end
  end

  for _, confine in ipairs{ "kernel", "parts" } do
    for level, way in ipairs{ "x", "x/y", "x/y/z" } do
      it(("stay inside while %s is swapped for a link (%s)"):format(way, confine), function()
        local root, outside = folder .. "/base", folder .. "/outside"
        local files <close> = larder.files{ path = root, confine = confine, durability = "none" }
        local inner = ("x/y/z"):sub(#way + 2)
        assert(os.execute(("mkdir -p '%s/%s' '%s/x/y/z'"):format(outside, inner, root)))
        local deep = outside .. (inner == "" and "" or "/" .. inner)
        support.write_file(deep .. "/f", "outside")
        support.write_file(root .. "/x/y/z/f", "inside")
        port.symlink(outside, root .. "/" .. ("x/y/z"):sub(1, #way - 1) .. "link")
        local counts = { inside = 0, refused = 0 }
        local function try(method, ...)
          local ok, result = pcall(files[method], files, ...)
          if not ok then
            assert.is_true(result.code ~= nil and result.code ~= "IO", tostring(result))
            counts.refused = counts.refused + 1
          elseif method == "read" then
            assert.are.equal("inside", result)
            counts.inside = counts.inside + 1
          end
        end
        local stop = port.monotonic() + seconds / 3
        while_swapping(root .. "/" .. way, root .. "/" .. way:sub(1, -2) .. "link", function()
          repeat
            try("read", "x/y/z/f")
            try("write", "x/y/z/f", "inside")
            try("write", "x/y/z/new", "inside", { if_absent = true })
            try("delete", "x/y/z/new")
            try("make_dir", "x/y/z/made/deep")
            try("remove_dir", "x/y/z/made", { recursive = true, force = true })
            try("copy", "x/y/z/f", "x/y/z/copy")
            try("move", "x/y/z/copy", "x/y/z/moved")
            try("delete_older_than", "x/y/z/none", 0)
            try("list", "x", { recursive = true, filter = function(entry) assert.are_not.equal(7, entry.size) end })
          until port.monotonic() > stop
        end)
        assert.are.equal("outside", support.read_file(deep .. "/f"))
        assert.are.equal(("f\n"), io.popen(("ls -A '%s'"):format(deep)):read "a")
        assert.is_true(counts.inside > 0 and counts.refused > 0, level .. " was never in the race")
      end)
    end
  end

  it("that are removed with their tree stay inside while a directory in it is swapped for a link", function()
    local root, outside = folder .. "/base", folder .. "/outside"
    local files <close> = larder.files{ path = root, durability = "none" }
    assert(os.execute(("mkdir -p '%s/a/b' && touch '%s/f' '%s/a/f' '%s/a/b/f'"):format(outside, outside, outside, outside)))
    local stop = port.monotonic() + seconds / 3
    repeat
      assert(os.execute(("mkdir -p '%s/t/x/a/b' && touch '%s/t/x/f' '%s/t/x/a/f' '%s/t/x/a/b/f'"):format(root, root, root, root)))
      port.symlink(outside, root .. "/t/link")
      while_swapping(root .. "/t/x", root .. "/t/link", function()
        local ok, e = pcall(files.remove_dir, files, "t", { recursive = true, force = true })
        assert.is_true(ok or e.code ~= nil)
      end)
      files:remove_dir("t", { recursive = true })
      assert.are.equal("a\na/b\na/b/f\na/f\nf\n",
        io.popen(("unset LD_PRELOAD; cd '%s' && find . -mindepth 1 | sed 's|^./||' | LC_ALL=C sort"):format(outside)):read "a")
    until port.monotonic() > stop
  end)
end)
