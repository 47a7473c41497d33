-- larder.files: what its methods take, give back and raise. The provider itself: spec/c/test_files_local.c.
local larder = require "larder"
local port = require "larder_port"
local support = require "spec.support"

describe("larder.files", function()
  local folder, files

  before_each(function()
    folder = support.folder()
    files = larder.files(folder .. "/root")
  end)

  after_each(function()
    files:close()
    support.remove_folders()
  end)

  local function fails(code, path, method, ...)
    local e = support.raises(code, nil, files[method], files, ...)
    assert.are.equal("files:" .. method, e.op)
    assert.are.equal(path, e.path)
    return e
  end

  describe("opening", function()
    it("takes a path, a URL or options", function()
      local ways = {
        folder .. "/root", "local:" .. folder .. "/root", "file:" .. folder .. "/root", "file://" .. folder .. "/root?durability=none",
        { path = folder .. "/root" }, { provider = "local", path = folder .. "/root", file_mode = 640 },
      }
      files:write("f", "x")
      for _, where in ipairs(ways) do
        local other <close> = larder.files(where)
        assert.are.equal("x", other:read "f")
      end
      local more <close> = larder.files(folder .. "/root", { durability = "none" })
      assert.are.equal("x", more:read "f")
    end)

    it("takes a path without a scheme as it stands", function()
      local odd <close> = larder.files(folder .. "/a?b%20c")
      odd:write("f", "x")
      assert.are.equal("x", support.read_file(folder .. "/a?b%20c/f"))
    end)

    it("refuses what it does not know, naming the nearest", function()
      support.raises("INVALID", { "locl", 'did you mean "local"' }, larder.files, "locl:x")
      support.raises("INVALID", { "s3", "known: local" }, larder.files, "s3:bucket")
      support.raises("INVALID", { "durabilty", 'did you mean "durability"' }, larder.files, folder, { durabilty = "none" })
      support.raises("INVALID", "path: is missing", larder.files, "local:")
      support.raises("INVALID", "path: is missing", larder.files, "")
      support.raises("INVALID", "expected a path", larder.files, 7)
      support.raises("INVALID", "got a nil", larder.files)
      support.raises("INVALID", "options: expected a table", larder.files, folder, 7)
      support.raises("INVALID", "option file_mode", larder.files, folder, { file_mode = {} })
      support.raises("INVALID", "octal", larder.files, folder, { file_mode = "rw" })
      support.raises("INVALID", "expected names", larder.files, { "x" })
      support.write_file(folder .. "/file", "x")
      support.raises("NOT_A_DIRECTORY", nil, larder.files, folder .. "/file")
    end)
  end)

  describe("one file", function()
    it("is written, read, looked at and deleted", function()
      local before = os.time() * 1000
      files:write("a/b.bin", "\0\1\255")
      assert.are.equal("\0\1\255", files:read "a/b.bin")
      local info = files:stat "a/b.bin"
      support.same({ kind = "file", size = 3, modified_at = info.modified_at }, info)
      assert.is_true(info.modified_at >= before - 1000 and info.modified_at < before + 60000)
      assert.is_true(files:exists "a/b.bin")
      assert.is_false(files:exists "a")
      assert.is_true(files:dir_exists "a")
      assert.is_true(files:dir_exists "")
      assert.is_false(files:dir_exists "a/b.bin")
      assert.are.equal("directory", files:stat "a".kind)
      assert.is_true(files:delete "a/b.bin")
      assert.is_false(files:delete "a/b.bin")
      assert.is_nil(files:stat "a/b.bin")
      assert.is_false(files:exists "a/b.bin/c")
      assert.are.equal(2, fails("NOT_FOUND", "a/b.bin", "read", "a/b.bin").errno)
    end)

    it("is written once with if_absent", function()
      files:write("f", "first", { if_absent = true })
      assert.are.equal(17, fails("EXISTS", "f", "write", "f", "second", { if_absent = true }).errno)
      assert.are.equal("first", files:read "f")
    end)

    it("is read in parts", function()
      files:write("f", "0123456789")
      assert.are.equal("234", files:read_range("f", 2, 3))
      assert.are.equal("89", files:read_range("f", 8))
      assert.are.equal("9", files:read_range("f", 9, math.maxinteger))
      assert.are.equal("", files:read_range("f", 10))
      assert.are.equal("", files:read_range("f", 3, 0))
      fails("RANGE", "f", "read_range", "f", 11)
      fails("RANGE", nil, "read_range", "f", -1)
      fails("RANGE", nil, "read_range", "f", 0, -1)
      fails("INVALID", nil, "read_range", "f", "x")
      fails("INVALID", nil, "read_range", "f", 0.5)
    end)

    it("is copied and moved", function()
      files:write("f", "x")
      files:copy("f", "d/g")
      files:move("f", "h")
      assert.are.equal("x", files:read "d/g")
      assert.are.equal("x", files:read "h")
      assert.is_false(files:exists "f")
      fails("EXISTS", "h", "copy", "d/g", "h", { if_absent = true })
      fails("EXISTS", "h", "move", "d/g", "h", { if_absent = true })
      fails("NOT_FOUND", "f", "move", "f", "k")
    end)

    it("has a checksum", function()
      files:write("f", "abc")
      assert.are.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", files:checksum("f", "sha256"))
      assert.are.equal(files:checksum "f", files:checksum("f", "sha256"))
      fails("UNSUPPORTED", nil, "checksum", "f", "md5")
      fails("NOT_FOUND", "g", "checksum", "g")
    end)
  end)

  describe("directories", function()
    it("are made with those above, once", function()
      assert.is_true(files:make_dir "a/b")
      assert.is_false(files:make_dir "a/b")
      assert.is_false(files:make_dir "")
      files:write("f", "x")
      fails("EXISTS", "f", "make_dir", "f")
      fails("NOT_A_DIRECTORY", "f/g", "make_dir", "f/g")
    end)

    it("are removed when empty, or with all in them", function()
      files:write("a/b/c", "x")
      fails("NOT_EMPTY", "a", "remove_dir", "a")
      assert.are.equal("x", files:read "a/b/c")
      assert.is_true(files:remove_dir("a", { recursive = true }))
      assert.is_false(files:remove_dir("a", { recursive = true }))
      assert.is_false(files:remove_dir "a")
      fails("INVALID_PATH", nil, "remove_dir", "", { recursive = true })
      fails("INVALID", nil, "remove_dir", "a", { recursiv = true })
    end)
  end)

  -- The whole table is in spec/c/test_files_path.c; here: that every method applies it.
  it("refuse paths against the rule, in every method, before anything happens", function()
    local bad = { "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", ".", "a\0b", "a\nb", "\xff", "\xc0\xae\xc0\xae/x", ("a"):rep(256),
      ("a/"):rep(512) .. "a", ".larder-x" }
    local methods = { "read", "stat", "exists", "delete", "open_reader", "open_writer", "checksum", "make_dir", "dir_exists", "remove_dir",
      "list", "each" }
    files:write("f", "x")
    for _, path in ipairs(bad) do
      for _, method in ipairs(methods) do fails("INVALID_PATH", path:match "^[^\0]*":sub(1, 1024), method, path) end
      support.raises("INVALID_PATH", nil, files.write, files, path, "x")
      support.raises("INVALID_PATH", nil, files.read_range, files, path, 0)
      support.raises("INVALID_PATH", nil, files.delete_older_than, files, path, 0)
      for _, method in ipairs{ "copy", "move" } do
        support.raises("INVALID_PATH", nil, files[method], files, path, "g")
        support.raises("INVALID_PATH", nil, files[method], files, "f", path)
      end
    end
    for _, method in ipairs(methods) do support.raises("INVALID", "expected a string", files[method], files, 7) end
    for _, method in ipairs{ "read", "write", "stat", "delete" } do fails("INVALID_PATH", nil, method, "", "x") end
    assert.are.equal(1, #files:list())
  end)

  it("knows what a user may not do", function()
    files:write("d/f", "x")
    port.chmod(folder .. "/root/d", 365) -- 0555
    local function try()
      local codes = {}
      for _, call in ipairs{ { "write", "d/g", "x" }, { "write", "d/f", "y" }, { "delete", "d/f" }, { "move", "d/f", "g" },
        { "make_dir", "d/e" }, { "remove_dir", "d", { recursive = true } } } do
        local _, e = pcall(files[call[1]], files, table.unpack(call, 2))
        codes[#codes + 1] = e.code
      end
      return table.concat(codes, " ") .. " " .. files:read "d/f"
    end
    os.execute(("chmod 755 '%s' '%s/root' && chmod 644 '%s/root/d/f' && chown 65534 '%s/root' '%s/root/d' '%s/root/d/f' 2>/dev/null"):format(
      folder, folder, folder, folder, folder, folder))
    local from, to = port.pipe()
    local pid = port.fork()
    if pid == 0 then
      port.setuid(65534)
      local _, said = pcall(try)
      port.write(to, tostring(said))
      port._exit(0)
    end
    port.close(to)
    local said = port.read(from)
    port.close(from)
    port.waitpid(pid)
    assert.are.equal(("PERMISSION "):rep(6) .. "x", said)
  end)

  it("force removes what directories would not let go", function()
    files:write("d/e/f", "x")
    os.execute(("chmod 755 '%s'; chown -R 65534 '%s/root' 2>/dev/null; chmod 000 '%s/root/d/e'; chmod 555 '%s/root/d'"):format(
      folder, folder, folder, folder))
    local pid = port.fork()
    if pid == 0 then
      port.setuid(65534)
      local _, e = pcall(files.remove_dir, files, "d", { recursive = true })
      local there = files:dir_exists "d/e"
      local ok, removed = pcall(files.remove_dir, files, "d", { recursive = true, force = true })
      port._exit((type(e) == "table" and e.code == "PERMISSION" and there and ok and removed) and 0 or 1)
    end
    local _, how, code = port.waitpid(pid)
    assert.are.same({ "exited", 0 }, { how, code })
    assert.is_false(files:dir_exists "d")
  end)

  describe("delete_older_than", function()
    it("deletes at any depth what is older, and counts it", function()
      files:write("a/old", "x")
      files:write("a/b/older", "x")
      files:write("new", "x")
      os.execute(("touch -d '2001-01-01' '%s/root/a/old' '%s/root/a/b/older'"):format(folder, folder))
      local count, failures = files:delete_older_than("", (os.time() - 3600) * 1000)
      assert.are.equal(2, count)
      support.none(failures)
      assert.is_true(files:exists "new" and files:dir_exists "a/b")
      assert.are.equal(0, (files:delete_older_than("nowhere", math.maxinteger // 2)))
    end)

    it("goes on after a failure, and says what failed", function()
      for _, path in ipairs{ "a/1", "b/2", "c/3", "d/4" } do files:write(path, "x") end
      os.execute(("chmod 755 '%s'; chown -R 65534 '%s/root' 2>/dev/null; chmod 555 '%s/root/b'; chmod 000 '%s/root/c'"):format(
        folder, folder, folder, folder))
      local from, to = port.pipe()
      local pid = port.fork()
      if pid == 0 then
        port.setuid(65534)
        local count, failures = files:delete_older_than("", (os.time() + 3600) * 1000)
        local said = { count }
        for _, e in ipairs(failures) do said[#said + 1] = e.path .. "=" .. e.code .. "=" .. e.errno end
        port.write(to, table.concat(said, " "))
        port._exit(0)
      end
      port.close(to)
      assert.are.equal("2 b/2=PERMISSION=13 c=PERMISSION=13", port.read(from))
      port.close(from)
      port.waitpid(pid)
      port.chmod(folder .. "/root/c", 448)
      assert.is_true(files:exists "b/2" and files:exists "c/3" and not files:exists "a/1" and not files:exists "d/4")
    end)

    it("refuses what is no time", function()
      for _, time in ipairs{ "1", 0 / 0, math.huge, {} } do fails("INVALID", nil, "delete_older_than", "", time) end
      fails("INVALID", nil, "delete_older_than", "")
    end)
  end)

  describe("handles", function()
    it("are closed twice, and refuse everything then", function()
      files:write("f", "x")
      local reader, writer, step = files:open_reader "f", files:open_writer "g", files:each()
      files:close()
      files:close()
      for _, name in ipairs{ "make_dir", "dir_exists", "remove_dir", "write", "read", "read_range", "open_reader", "open_writer", "exists",
        "stat", "delete", "list", "each", "copy", "move", "delete_older_than", "checksum" } do
        support.raises("CLOSED", nil, files[name], files, "f")
      end
      for _, name in ipairs{ "read", "size", "seek", "chunks" } do support.raises("CLOSED", nil, reader[name], reader) end
      support.raises("CLOSED", nil, step)
      support.raises("CLOSED", nil, writer.write, writer, "x")
      support.raises("CLOSED", nil, writer.close, writer)
      writer:close()
      writer:discard()
      reader:close()
      reader:close()
      assert.truthy(tostring(files):find "^larder.files: .*%(closed%)$")
      assert.truthy(tostring(reader):find "^larder.reader: .*%(closed%)$")
      assert.truthy(tostring(writer):find "^larder.writer: .*%(closed%)$")
      files = larder.files(folder .. "/root")
      assert.are.equal(1, #files:list())
      local left = 0
      for _ in io.popen(("ls -A '%s/root'"):format(folder)):lines() do left = left + 1 end
      assert.are.equal(1, left)
    end)

    it("go in any order of collection", function()
      files:write("f", "x")
      support.with_constant_collection(function()
        for _ = 1, 20 do
          local own = larder.files(folder .. "/root")
          local reader, writer, step = own:open_reader "f", own:open_writer "g", own:each()
          assert.are.equal("x", reader:read())
          writer:write "half"
          assert.are.equal("f", (step()))
          assert.are.equal("x", files:read "f")
          own, reader, writer, step = nil, nil, nil, nil -- luacheck: ignore
        end
      end)
      collectgarbage()
      collectgarbage()
      assert.is_false(files:exists "g")
      for name in io.popen(("ls -A '%s/root'"):format(folder)):lines() do assert.are.equal("f", name) end
    end)

    it("say when they are no files", function()
      support.raises("INVALID", "expected files before the colon", files.read, "f")
      support.raises("INVALID", "expected files before the colon, got nothing", files.read)
      support.raises("INVALID", "expected files", files.close, 7)
      assert.are.equal("larder.files", getmetatable(files))
    end)

    it("leave at exit with everything open no half-written file", function()
      local code, out, err = support.run(([[
        local larder = require "larder"
        files = larder.files %q
        files:write("f", "x")
        reader, writer = files:open_reader "f", files:open_writer "g"
        writer:write "half"
        step = files:each()
        step()
        os.exit(true, true)
      ]]):format(folder .. "/exit"))
      assert.are.same({ 0, "", "" }, { code, out, err })
      assert.are.equal("f\n", io.popen(("ls -A '%s/exit'"):format(folder)):read "a")
    end)
  end)
end)
