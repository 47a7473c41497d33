-- Files whose writer is killed, and on a disk that is full or read-only. LARDER_CRASH_ROUNDS (60) sets how many are killed.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"
local support = require "spec.support"

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
        local pid, pipe = forked.start(function(to) write_forever(to, first) end)
        port.sleep(math.random() ^ 2 * 0.03)
        port.kill(pid, 9)
        port.waitpid(pid)
        local said = forked.drain(pipe)
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
    local pid, pipe = forked.start(function(to) fill(to, 100000) end)
    port.waitpid(pid)
    assert.are.equal("NO_SPACE NO_SPACE NO_SPACE NO_SPACE whole", forked.drain(pipe))
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
end)
