-- Content and listings larger than the memory that may be used. LARDER_STREAM_MIB (64; 2048 for the whole test) is how much is streamed.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"

describe("files", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  -- Sanitizers need memory of their own, and a build for them keeps few names at a time.
  local watched = (os.getenv "LARDER_BUILD" or ""):find "/asan$" or (os.getenv "LARDER_BUILD" or ""):find "/valgrind$"
  local limit, names = watched and math.huge or 10 * 1024 * 1024, watched and 3000 or 100000
  local mib = tonumber(os.getenv "LARDER_STREAM_MIB") or 64
  it(("of %d MiB are written, hashed, copied and read in flat memory"):format(mib), function()
    local pid, pipe = forked.start(function(to)
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
    local said = forked.drain(pipe)
    local same, bytes, growth = said:match "^(%a+) (%d+) (-?%d+)$"
    port.waitpid(pid)
    assert.are.equal("true", same, said)
    assert.are.equal(mib << 20, tonumber(bytes))
    assert.is_true(tonumber(growth) < limit, growth .. " bytes more")
  end)

  it(("of %d names are listed in flat memory, in order"):format(names), function()
    local pid, pipe = forked.start(function(to)
      local files <close> = larder.files{ path = folder, durability = "none" }
      files:make_dir "d"
      for i = 1, names do io.open(("%s/d/%d-name"):format(folder, i), "w"):close() end
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
    local count, growth = forked.drain(pipe):match "^(%d+) (-?%d+)$"
    port.waitpid(pid)
    assert.are.equal(names, tonumber(count))
    assert.is_true(tonumber(growth) < limit, growth .. " bytes more")
  end)
end)
