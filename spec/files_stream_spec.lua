-- Readers and writers of larder.files.
local larder = require "larder"
local port = require "larder_port"
local support = require "spec.support"

describe("a file's", function()
  local folder, files

  before_each(function()
    folder = support.folder()
    files = larder.files(folder)
  end)

  after_each(function()
    files:close()
    support.remove_folders()
  end)

  local function names()
    return io.popen(("ls -A '%s'"):format(folder)):read "a"
  end

  describe("reader", function()
    it("gives pieces, then nil", function()
      files:write("f", "0123456789")
      local reader <close> = files:open_reader "f"
      assert.are.equal(10, reader:size())
      assert.are.equal("0123", reader:read(4))
      assert.are.equal("456789", reader:read())
      assert.is_nil(reader:read())
      assert.are.equal("78", reader:seek(7):read(2))
      support.raises("RANGE", nil, reader.seek, reader, 11)
      support.raises("INVALID", nil, reader.seek, reader, "x")
      for _, size in ipairs{ 0, -1, 1.5, "x" } do support.raises("INVALID", "size", reader.read, reader, size) end
      assert.are.equal("9", reader:read(math.maxinteger))
    end)

    it("is walked in chunks", function()
      local data = {}
      for i = 1, 5000 do data[i] = ("%09d\n"):format(i) end
      data = table.concat(data)
      files:write("f", data)
      for _, size in ipairs{ 1000, 7, 65536 } do
        local reader <close> = files:open_reader "f"
        local got = {}
        for chunk in reader:chunks(size) do got[#got + 1] = chunk end
        assert.are.equal((#data + size - 1) // size, #got)
        assert.are.equal(data, table.concat(got))
      end
    end)

    it("gives chunks of 64 KiB by itself, whatever becomes of the variable", function()
      files:write("f", ("x"):rep(150000))
      local sizes, reader = {}, files:open_reader "f"
      local step = reader:chunks()
      reader = nil -- luacheck: ignore
      collectgarbage()
      for chunk in step do sizes[#sizes + 1] = #chunk end
      support.same({ 65536, 65536, 18928 }, sizes)
    end)

    it("sees one content while it is replaced and deleted", function()
      files:write("f", "old content")
      local reader <close> = files:open_reader "f"
      assert.are.equal("old", reader:read(3))
      files:write("f", "NEW CONTENT, and longer")
      assert.are.equal(" content", reader:read())
      reader:seek(0)
      files:delete "f"
      assert.are.equal("old content", reader:read())
    end)

    it("keeps its place when a fork's child reads on", function()
      files:write("f", "0123456789")
      local reader <close> = files:open_reader "f"
      reader:read(2)
      local pid = port.fork()
      if pid == 0 then port._exit(reader:read(5) == "23456" and 0 or 1) end
      local _, _, code = port.waitpid(pid)
      assert.are.equal(0, code)
      assert.are.equal("23", reader:read(2))
    end)
  end)

  describe("writer", function()
    it("publishes at close; before it the old content is read", function()
      files:write("f", "old")
      local writer = files:open_writer "f"
      assert.are.equal(writer, writer:write("new", " ", "content"))
      assert.are.equal("old", files:read "f")
      assert.are.equal(1, #files:list())
      writer:close()
      assert.are.equal("new content", files:read "f")
      writer:close()
      support.raises("CLOSED", "the writer is closed", writer.write, writer, "x")
    end)

    it("publishes nothing when it is discarded, collected, or its block is left", function()
      files:open_writer("f"):write("x"):discard()
      do
        local writer <close> = files:open_writer "f"
        writer:write "x"
      end
      pcall(function()
        local writer <close> = files:open_writer "f"
        writer:write "x"
        error "oops"
      end)
      files:open_writer("f"):write "x"
      collectgarbage()
      collectgarbage()
      assert.are.equal("", names())
    end)

    it("with if_absent loses against who was faster", function()
      local first, second = files:open_writer("f", { if_absent = true }), files:open_writer("f", { if_absent = true })
      first:write "first"
      second:write "second"
      second:close()
      local e = support.raises("EXISTS", nil, first.close, first)
      assert.are.same({ "writer:close", "f" }, { e.op, e.path })
      first:close()
      assert.are.equal("second", files:read "f")
      support.raises("EXISTS", nil, files.open_writer, files, "f", { if_absent = true })
      assert.are.equal("f\n", names())
    end)

    it("of the same path as another: who closes last has it", function()
      local first, second = files:open_writer "f", files:open_writer "f"
      first:write "first"
      second:write "second"
      second:close()
      assert.are.equal("second", files:read "f")
      first:close()
      assert.are.equal("first", files:read "f")
      assert.are.equal("f\n", names())
    end)

    it("takes strings only, all or none", function()
      local writer <close> = files:open_writer "f"
      support.raises("INVALID", "expected a string, got table", function() writer:write("x", {}) end)
      writer:close()
      assert.are.equal("", files:read "f")
      support.raises("INVALID", "expected a writer", writer.write, files, "x")
    end)

    it("finds its directory gone, and says so", function()
      local writer = files:open_writer "d/f"
      writer:write "x"
      files:remove_dir("d", { recursive = true })
      support.raises("NOT_FOUND", nil, writer.close, writer)
      assert.are.equal("", names())
    end)

    it("belongs to the process that opened it", function()
      local writer = files:open_writer "f"
      writer:write "mine"
      local pid = port.fork()
      if pid == 0 then
        local _, first = pcall(writer.write, writer, "theirs")
        local _, second = pcall(writer.close, writer)
        local other = files:open_writer "g"
        other:write "theirs"
        other:close()
        port._exit(first.code == "MISUSE" and second.code == "MISUSE" and 0 or 1)
      end
      local _, how, code = port.waitpid(pid)
      assert.are.same({ "exited", 0 }, { how, code })
      writer:close()
      assert.are.same({ "mine", "theirs" }, { files:read "f", files:read "g" })
    end)
  end)

  describe("content", function()
    it("comes from a reader, from where it stands", function()
      files:write("f", "0123456789")
      local reader <close> = files:open_reader "f"
      reader:read(4)
      files:write("g", reader)
      assert.are.equal("456789", files:read "g")
      files:write("f", reader:seek(0), { sync = false })
      assert.are.equal("0123456789", files:read "f")
    end)

    it("comes from a function, until nil", function()
      local left = 3
      files:write("f", function()
        left = left - 1
        return left >= 0 and ("x"):rep(left) or nil
      end)
      assert.are.equal("xxx", files:read "f")
    end)

    it("comes from a function that yields, as one that waits for a client does", function()
      files:write("f", "old")
      local upload = coroutine.create(function(...)
        files:write("f", coroutine.yield, ...)
        return "done"
      end)
      coroutine.resume(upload, { sync = false })
      for _, piece in ipairs{ "one ", "", "two" } do
        assert.is_true((coroutine.resume(upload, piece)))
        collectgarbage()
        assert.are.equal("old", files:read "f")
      end
      assert.are.same({ true, "done" }, { coroutine.resume(upload, nil) })
      assert.are.equal("one two", files:read "f")
    end)

    it("is not published when the coroutine that brings it ends in between", function()
      local function start(...)
        local upload = coroutine.create(function() files:write("f", coroutine.yield) end)
        coroutine.resume(upload)
        coroutine.resume(upload, "half")
        return upload, ...
      end
      assert.is_true(coroutine.close((start())))
      assert.are.equal("", names())
      local lost = start()
      assert.are.equal("suspended", coroutine.status(lost))
      assert.are_not.equal("", names())
      lost = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.are.equal("", names())
      local wrong, closed = start(), start()
      assert.are.equal("INVALID", select(2, coroutine.resume(wrong, 7)).code)
      files:close()
      assert.are.equal("CLOSED", select(2, coroutine.resume(closed, "x")).code)
      for _, one in ipairs{ wrong, closed } do assert.is_false((coroutine.close(one))) end
      files = larder.files(folder)
      assert.are.equal("", names())
    end)

    it("is not published when its function raises, or gives no string", function()
      files:write("f", "old")
      local ok, e = pcall(files.write, files, "f", function() error({}) end)
      assert.is_false(ok)
      assert.are.equal("table", type(e))
      support.raises("INVALID", "expected a string, got boolean", files.write, files, "f", function() return true end)
      support.raises("INVALID", "expected a string, a reader or a function, got table", files.write, files, "f", {})
      support.raises("INVALID", "got no value", files.write, files, "f")
      support.raises("CLOSED", nil, files.write, files, "f", function() files:close() return "x" end)
      files = larder.files(folder)
      assert.are.equal("old", files:read "f")
      assert.are.equal("f\n", names())
    end)
  end)
end)
