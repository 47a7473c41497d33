-- A disk without room: FULL or IO, and the store is as before.
local larder = require "larder"
local port = require "larder_port"

local function room(number)
  return { roomName = "room-" .. number, filler = ("x"):rep(3000), ratings = { m = { { "ada", "like", number } } } }
end

-- In a child whose files may not grow past the limit: save until it fails; the code and the last number go to the pipe.
local function fill(url, limit, pipe)
  local store <close> = larder.open(url)
  local rooms = store:rooms()
  rooms:save(room(0))
  port.ignore_sigxfsz()
  assert(port.setrlimit_fsize(limit))
  local last, code = 0, "none"
  for number = 1, 2000 do
    local ok, problem = pcall(rooms.save, rooms, room(number))
    if not ok then
      code = problem.code
      break
    end
    last = number
  end
  for number = 0, last do -- still readable in the same process, on the same handle
    local found, found_problem = pcall(rooms.get, rooms, "room-" .. number)
    if not found then code = found_problem.code end
  end
  port.write(pipe, code .. " " .. last)
end

describe("a full disk", function()
  for _, limit in ipairs{ 64, 128, 256, 1024 } do
    it(("at %d KiB is FULL or IO, and every saved room is there"):format(limit), function()
      local directory = assert(port.temp_dir())
      local url = "lmdb:" .. directory .. "/store"
      local from, to = port.pipe()
      local pid = port.fork()
      if pid == 0 then
        local ok, problem = pcall(fill, url, limit * 1024, to)
        if not ok then port.write(to, tostring(problem)) end
        port._exit(0)
      end
      port.close(to)
      local code, last = port.read(from):match "^(%u+) (%d+)$"
      port.close(from)
      port.waitpid(pid)
      assert.is_true(code == "FULL" or code == "IO", code)
      local store <close> = larder.open(url)
      for number = 0, tonumber(last) do assert.are.same(room(number), store:rooms():get("room-" .. number)) end
      assert.is_false(store:rooms():has("room-" .. last + 1))
      store:rooms():save(room(5000))
      port.remove_dir(directory)
    end)
  end

  it("leaves no half-made store behind", function()
    local directory = assert(port.temp_dir())
    local url = "lmdb:" .. directory .. "/store"
    local pid = port.fork()
    if pid == 0 then
      port.ignore_sigxfsz()
      port.setrlimit_fsize(4096)
      local ok, problem = pcall(larder.open, url)
      port._exit((ok or not (problem.code == "FULL" or problem.code == "IO")) and 1 or 0)
    end
    local _, how, code = port.waitpid(pid)
    assert.are.same({ "exited", 0 }, { how, code })
    local store <close> = larder.open(url)
    store:rooms():save(room(1))
    port.remove_dir(directory)
  end)

  -- liblmdb dies of SIGBUS when a hole in its lock file cannot be filled; where a small file system may be mounted, it is tried.
  it("at any size of a small file system is FULL, not a crash", function()
    local directory = assert(port.temp_dir())
    local tried = 0
    for size = 4, 120, 8 do
      if os.execute(("mount -t tmpfs -o size=%dk tmpfs '%s' 2>/dev/null"):format(size, directory)) then
        tried = tried + 1
        local pid = port.fork()
        if pid == 0 then
          local ok, problem = pcall(function()
            local store <close> = larder.open("lmdb:" .. directory .. "/store")
            for number = 1, 100 do store:rooms():save(room(number)) end
          end)
          port._exit(not ok and (problem.code == "FULL" or problem.code == "IO") and 0 or 1)
        end
        local _, how, code = port.waitpid(pid)
        os.execute(("umount '%s'"):format(directory))
        assert.are.same({ "exited", 0 }, { how, code }, size .. " KiB")
      end
    end
    port.remove_dir(directory)
    if tried == 0 then pending "file systems cannot be mounted here" end
  end)
end)
