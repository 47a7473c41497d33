-- larder.files: what its methods take, give back and raise. The provider itself: spec/c/test_files_local.c.
local larder = require "larder"
local support = require "spec.support"

describe("larder.files", function()
  local folder, files

  before_each(function()
    folder = support.folder()
    files = larder.files(folder .. "/base")
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
        folder .. "/base", "local:" .. folder .. "/base", "file:" .. folder .. "/base", "file://" .. folder .. "/base?durability=none",
        { path = folder .. "/base" }, { provider = "local", path = folder .. "/base", file_mode = 640 },
      }
      files:write("f", "x")
      for _, where in ipairs(ways) do
        local other <close> = larder.files(where)
        assert.are.equal("x", other:read "f")
      end
      local more <close> = larder.files(folder .. "/base", { durability = "none" })
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
      fails("RANGE", "f", "read_range", "f", -1)
      fails("RANGE", "f", "read_range", "f", 0, -1)
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
end)
