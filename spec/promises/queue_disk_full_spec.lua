-- A queue on a disk without room: FULL or IO, and each job in its state.
local larder = require "larder"
local port = require "larder_port"

describe("a queue on a full disk", function()
  -- In a child whose files may not grow past the limit: what it failed with, what it had done, go to the pipe.
  local function fill(url, limit, pipe)
    local store <close> = larder.open(url)
    local q = store:queue("mail", { keep_done = 3600 })
    port.ignore_sigxfsz()
    assert(port.setrlimit_fsize(limit))
    local enqueued, done, code = 0, 0, "none"
    for number = 1, 4000 do
      local ok, problem = pcall(function()
        q:enqueue({ number = number, filler = ("x"):rep(2000) })
        enqueued = number
        if number % 2 == 0 then
          local job = q:dequeue()
          assert(job.data.number == number // 2)
          assert(q:ack(job))
          done = job.data.number
        end
      end)
      if not ok then
        code = problem.code or tostring(problem)
        break
      end
    end
    port.write(pipe, ("%s %d %d"):format(code, enqueued, done))
  end

  for _, limit in ipairs { 128, 512 } do
    it(("at %d KiB says so, and keeps every job in its state"):format(limit), function()
      local directory = assert(port.temp_dir())
      local url = "lmdb:" .. directory .. "/store"
      local from, to = port.pipe()
      local pid = assert(port.fork())
      if pid == 0 then
        local ok, problem = pcall(fill, url, limit * 1024, to)
        if not ok then port.write(to, tostring(problem)) end
        port._exit(0)
      end
      port.close(to)
      local text = port.read(from)
      port.close(from)
      port.waitpid(pid)
      local code, enqueued, done = text:match "^(%u+) (%d+) (%d+)$"
      assert.is_true(code == "FULL" or code == "IO", text)
      local store <close> = larder.open(url)
      local q = store:queue "mail"
      local counts = q:counts()
      assert.are.equal(tonumber(done), counts.done)
      assert.are.equal(tonumber(enqueued), counts.done + counts.ready + counts.running)
      local number = tonumber(done) + counts.running
      for job in q:each "ready" do
        number = number + 1
        assert.are.equal(number, job.data.number)
      end
      assert.are.equal(tonumber(enqueued), number)
      q:enqueue "there is room again"
      port.remove_dir(directory)
    end)
  end
end)
