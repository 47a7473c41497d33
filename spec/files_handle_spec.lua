-- The handles of larder.files: closed, collected, left open.
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
      files = larder.files(folder .. "/base")
      assert.are.equal(1, #files:list())
      local left = 0
      for _ in io.popen(("ls -A '%s/base'"):format(folder)):lines() do left = left + 1 end
      assert.are.equal(1, left)
    end)

    it("go in any order of collection", function()
      files:write("f", "x")
      support.with_constant_collection(function()
        for _ = 1, 20 do
          local own = larder.files(folder .. "/base")
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
      for name in io.popen(("ls -A '%s/base'"):format(folder)):lines() do assert.are.equal("f", name) end
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
