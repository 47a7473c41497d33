-- What files promise when it gets rough: writers that are killed, a full disk, directories swapped for links, content larger than memory.
-- LARDER_CRASH_ROUNDS (60), LARDER_RACE_SECONDS (1), LARDER_STREAM_MIB (64; 2048 for the whole test) make it longer.
local larder = require "larder"
local port = require "larder_port"
local support = require "spec.support"

local function in_child(f, ...)
  local from, to = port.pipe()
  local pid = port.fork()
  if pid == 0 then
    port.close(from)
    local ok, said = pcall(f, to, ...)
    if not ok then port.write(to, "! " .. tostring(said)) end
    port._exit(0)
  end
  port.close(to)
  return pid, from
end

local function drain(pipe)
  local parts = {}
  repeat
    parts[#parts + 1] = port.read(pipe)
  until parts[#parts] == ""
  port.close(pipe)
  return table.concat(parts)
end

describe("files", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  -- ---- crash ----

  local function content(number)
    return ("%08d"):format(number):rep(2000 + number % 7 * 1000)
  end

  local function write_forever(pipe, first)
    local files = larder.files(folder)
    for number = first, math.huge do
      local writer = files:open_writer "d/replaced"
      for at = 1, #content(number), 4000 do writer:write(content(number):sub(at, at + 3999)) end
      writer:close()
      port.write(pipe, "r")
      files:write("d/new/" .. number, content(number), { if_absent = true })
      port.write(pipe, "n")
    end
  end

  local rounds = tonumber(os.getenv "LARDER_CRASH_ROUNDS") or 60
  it(("whose writer is killed are whole, old or new, %d rounds"):format(rounds), function()
    support.at_random(function()
      local files <close> = larder.files(folder)
      local last_replaced, last_new, left = 0, 0, 0
      for _ = 1, rounds do
        local first = math.max(last_replaced, last_new) + 1
        local pid, pipe = in_child(write_forever, first)
        port.sleep(math.random() ^ 2 * 0.03)
        port.kill(pid, 9)
        port.waitpid(pid)
        local said = drain(pipe)
        assert.is_nil(said:find "!", said)
        local replaced, new = select(2, said:gsub("r", "")), select(2, said:gsub("n", ""))
        if replaced > 0 then last_replaced = first + replaced - 1 end
        if new > 0 then last_new = first + new - 1 end
        local found = files:exists "d/replaced" and files:read "d/replaced" or content(0):sub(1, 8)
        local number = tonumber(found:sub(1, 8))
        assert.is_true(number >= last_replaced and number <= first + replaced)
        if number > 0 then assert.is_true(found == content(number)) end
        last_replaced = number
        local there = 0
        for path, entry in files:each("d", { recursive = true }) do
          local of = tonumber(path:match "new/(%d+)$")
          if of then
            there = math.max(there, of)
            assert.is_true(entry.size == #content(of) and (of <= last_new - 5 or files:read(path) == content(of)))
          end
        end
        assert.is_true(there >= last_new and there <= math.max(last_new, first + new))
        last_new = there
      end
      for name in io.popen(("ls -A '%s/d' '%s/d/new' 2>/dev/null"):format(folder, folder)):lines() do
        if name:find "^%.larder%-" then left = left + 1 end
      end
      local count = files:delete_older_than("", math.maxinteger // 1024)
      assert.is_true(count >= left)
      assert.are.equal("", io.popen(("find '%s' -type f"):format(folder)):read "a")
    end)
  end)

  -- ---- escape ----

  -- The way to d is swapped for a link that leads outside, and back, all the time.
  local function swap_forever(_, one, other)
    while true do port.exchange(one, other) end
  end

  local seconds = tonumber(os.getenv "LARDER_RACE_SECONDS") or 1
  for _, confine in ipairs{ "kernel", "parts" } do
    for level, way in ipairs{ "x", "x/y", "x/y/z" } do
      it(("stay inside while %s is swapped for a link (%s)"):format(way, confine), function()
        local root, outside = folder .. "/root", folder .. "/outside"
        local files <close> = larder.files{ path = root, confine = confine, durability = "none" }
        local inner = ("x/y/z"):sub(#way + 2)
        assert(os.execute(("mkdir -p '%s/%s' '%s/x/y/z'"):format(outside, inner, root)))
        local deep = outside .. (inner == "" and "" or "/" .. inner)
        support.write_file(deep .. "/f", "outside")
        support.write_file(root .. "/x/y/z/f", "inside")
        port.symlink(outside, root .. "/" .. ("x/y/z"):sub(1, #way - 1) .. "link")
        local pid = in_child(swap_forever, root .. "/" .. way, root .. "/" .. way:sub(1, -2) .. "link")
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
        port.kill(pid, 9)
        port.waitpid(pid)
        assert.are.equal("outside", support.read_file(deep .. "/f"))
        assert.are.equal(("f\n"), io.popen(("ls -A '%s'"):format(deep)):read "a")
        assert.is_true(counts.inside > 0 and counts.refused > 0, level .. " was never in the race")
      end)
    end
  end

  it("that are removed with their tree stay inside while a directory in it is swapped for a link", function()
    local root, outside = folder .. "/root", folder .. "/outside"
    local files <close> = larder.files{ path = root, durability = "none" }
    assert(os.execute(("mkdir -p '%s/a/b' && touch '%s/f' '%s/a/f' '%s/a/b/f'"):format(outside, outside, outside, outside)))
    local stop = port.monotonic() + seconds / 3
    local pid
    repeat
      assert(os.execute(("mkdir -p '%s/t/x/a/b' && touch '%s/t/x/f' '%s/t/x/a/f' '%s/t/x/a/b/f'"):format(root, root, root, root)))
      port.symlink(outside, root .. "/t/link")
      pid = in_child(swap_forever, root .. "/t/x", root .. "/t/link")
      local ok, e = pcall(files.remove_dir, files, "t", { recursive = true, force = true })
      assert.is_true(ok or e.code ~= nil)
      port.kill(pid, 9)
      port.waitpid(pid)
      files:remove_dir("t", { recursive = true })
      assert.are.equal("a\na/b\na/b/f\na/f\nf\n",
        io.popen(("cd '%s' && find . -mindepth 1 | sed 's|^./||' | LC_ALL=C sort"):format(outside)):read "a")
    until port.monotonic() > stop
  end)

  -- ---- disk ----

  local function fill(pipe, limit)
    local files <close> = larder.files(folder)
    port.ignore_sigxfsz()
    assert(port.setrlimit_fsize(limit))
    local data = ("x"):rep(limit)
    files:write("f", data)
    local codes = {}
    for _, call in ipairs{
      function() files:write("f", data .. "y") end,
      function() files:write("g", data .. "y", { if_absent = true }) end,
      function() files:write("h", function() return data end) end,
      function()
        local writer <close> = files:open_writer "f"
        for _ = 1, 3 do pcall(writer.write, writer, data) end
        writer:close()
      end,
    } do
      local _, e = pcall(call)
      codes[#codes + 1] = type(e) == "table" and e.code or tostring(e)
    end
    codes[#codes + 1] = files:read "f" == data and "whole" or "broken"
    port.write(pipe, table.concat(codes, " "))
  end

  it("that may not grow are NO_SPACE, and what was there stays", function()
    local pid, pipe = in_child(fill, 100000)
    port.waitpid(pid)
    assert.are.equal("NO_SPACE NO_SPACE NO_SPACE NO_SPACE whole", drain(pipe))
    assert.are.equal("f\n", io.popen(("ls -A '%s'"):format(folder)):read "a")
  end)

  it("on a full file system are NO_SPACE, and what was there stays", function()
    if not os.execute(("mount -t tmpfs -o size=256k tmpfs '%s' 2>/dev/null"):format(folder)) then
      pending "file systems cannot be mounted here"
      return
    end
    local ok, problem = pcall(function()
      local files <close> = larder.files(folder)
      files:write("kept", ("k"):rep(50000))
      local code
      for number = 1, 100 do
        local done, e = pcall(files.write, files, "more/" .. number, ("m"):rep(10000))
        if not done then code = e.code break end
      end
      assert.are.equal("NO_SPACE", code)
      support.raises("NO_SPACE", nil, files.write, files, "kept", ("x"):rep(100000))
      support.raises("NO_SPACE", nil, files.copy, files, "kept", "copy")
      assert.are.equal(("k"):rep(50000), files:read "kept")
      assert.are.equal("", io.popen(("find '%s' -name '.larder-*'"):format(folder)):read "a")
      files:remove_dir("more", { recursive = true })
      files:write("kept", ("x"):rep(100000))
    end)
    os.execute(("umount '%s'"):format(folder))
    assert.is_true(ok, tostring(problem))
  end)

  it("on a file system that is read-only are PERMISSION", function()
    if not os.execute(("mount -t tmpfs tmpfs '%s' 2>/dev/null"):format(folder)) then
      pending "file systems cannot be mounted here"
      return
    end
    local ok, problem = pcall(function()
      local files <close> = larder.files(folder)
      files:write("d/f", "x")
      assert(os.execute(("mount -o remount,ro '%s'"):format(folder)))
      for _, call in ipairs{ { "write", "d/f", "y" }, { "write", "g", "y" }, { "delete", "d/f" }, { "move", "d/f", "g" },
        { "copy", "d/f", "g" }, { "make_dir", "e" }, { "remove_dir", "d", { recursive = true } } } do
        local e = support.raises("PERMISSION", nil, files[call[1]], files, table.unpack(call, 2))
        assert.are.equal(30, e.errno)
      end
      assert.are.equal("x", files:read "d/f")
      local more <close> = larder.files(folder)
      assert.are.equal("x", more:read "d/f")
    end)
    os.execute(("umount '%s'"):format(folder))
    assert.is_true(ok, tostring(problem))
  end)

  -- ---- size ----

  local limit = 10 * 1024 * 1024
  local mib = tonumber(os.getenv "LARDER_STREAM_MIB") or 64
  it(("of %d MiB are written, hashed, copied and read in flat memory"):format(mib), function()
    local pid, pipe = in_child(function(to)
      local files <close> = larder.files{ path = folder, durability = "none" }
      local piece = {}
      for i = 1, 65536 // 8 do piece[i] = ("%07d\n"):format(i) end
      piece = table.concat(piece)
      files:write("warm", piece)
      files:checksum "warm"
      collectgarbage()
      local before, peak = port.rss(), 0
      local function look() peak = math.max(peak, port.rss()) end
      local left = mib * 16
      files:write("f", function()
        left = left - 1
        if left % 64 == 0 then look() end
        if left >= 0 then return piece end
      end)
      files:copy("f", "g")
      look()
      local same = files:checksum "f" == files:checksum "g"
      look()
      local bytes = 0
      for chunk in files:open_reader("g"):chunks() do
        bytes = bytes + #chunk
        if bytes % (4 << 20) == 0 then look() end
      end
      port.write(to, ("%s %d %d"):format(same, bytes, peak - before))
    end)
    local said = drain(pipe)
    local same, bytes, growth = said:match "^(%a+) (%d+) (%d+)$"
    port.waitpid(pid)
    assert.are.equal("true", same, said)
    assert.are.equal(mib << 20, tonumber(bytes))
    assert.is_true(tonumber(growth) < limit, growth .. " bytes more")
  end)

  it("of 100,000 names are listed in flat memory, in order", function()
    local pid, pipe = in_child(function(to)
      local files <close> = larder.files{ path = folder, durability = "none" }
      files:make_dir "d"
      assert(os.execute(("cd '%s/d' && seq -f %%.0f-name 100000 | xargs touch"):format(folder)))
      for _ in files:each "none" do error "nothing is there" end
      collectgarbage()
      local before, peak, count, last = port.rss(), 0, 0, ""
      for path in files:each("d", { recursive = true }) do
        assert(path > last)
        last, count = path, count + 1
        if count % 1000 == 0 then peak = math.max(peak, port.rss()) end
      end
      port.write(to, ("%d %d"):format(count, peak - before))
    end)
    local count, growth = drain(pipe):match "^(%d+) (%d+)$"
    port.waitpid(pid)
    assert.are.equal("100000", count)
    assert.is_true(tonumber(growth) < limit, growth .. " bytes more")
  end)
end)
