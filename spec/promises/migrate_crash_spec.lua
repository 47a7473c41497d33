-- Migrators that are killed at each of their steps, and several at once: each migration and each batch is run once, whole.
local larder = require "larder"
local port = require "larder_port"

local documents, size, directory

local function set_up()
  documents, size, directory = 12, 5, assert(port.temp_dir())
end

local function take_down()
  port.remove_dir(directory)
end

local function url()
  return "lmdb:" .. directory .. "/store?durability=system"
end

local function fill(count)
  local store <close> = larder.open(url())
  store:update(function(tx)
    for i = 1, count do tx:collection("plans"):put { id = i, marked = 0 } end
  end)
end

--- `step` is called wherever a migrator may be killed.
local function list(step)
  local function add(name)
    return function(tx)
      step()
      tx:map("done"):increment(name)
      step()
      for document in tx:collection("plans"):each() do
        document[name] = true
        tx:collection("plans"):put(document)
      end
      step()
    end
  end
  return {
    { name = "first", checksum = "1", up = add "first" },
    { name = "mark", checksum = "2", collection = "plans", size = size, pause_ms = 1, batch = function(document)
      step()
      document.marked = document.marked + 1
      return document
    end },
    { name = "last", checksum = "3", up = add "last" },
  }
end

local function nothing() end

local function migrate(step, options)
  local store <close> = larder.open(url())
  options = options or {}
  options.sleep, options.progress = options.sleep or step, options.progress or step
  return larder.migrations(store, list(step)):up(options)
end

--- Run the function in a child; returns its pid. A child that raises ends with 1 and says why.
local function child(work, ...)
  local pid = assert(port.fork())
  if pid ~= 0 then return pid end
  local ok, problem = pcall(work, ...)
  if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
  port._exit(ok and 0 or 1)
end

local function expect_success(pid)
  local _, how, code = port.waitpid(pid)
  assert.are.same({ "exited", 0 }, { how, code })
end

local function read_exactly(pipe, count)
  local got = ""
  while #got < count do
    local part = port.read(pipe, count - #got)
    if part == "" then break end
    got = got .. part
  end
  return got
end

--- Kill a migrator at its step of that number; false when it has fewer.
local function kill_at(number)
  local from, to = port.pipe()
  local pid = child(function()
    port.close(from)
    local count = 0
    migrate(function()
      count = count + 1
      port.write(to, ".")
      if count == number then port.sleep(60) end
    end)
  end)
  port.close(to)
  local reached = #read_exactly(from, number)
  if reached == number then port.kill(pid, 9) end
  local _, how = port.waitpid(pid)
  port.close(from)
  assert.are.equal(reached == number and "killed" or "exited", how)
  return reached == number
end

--- What is in the store is what the history says, nothing half.
local function check_whole()
  local store <close> = larder.open(url())
  local status = larder.migrations(store, list(nothing)):status()
  local plans, done = store:collection "plans", store:map "done"
  for _, one in ipairs { status[1], status[3] } do
    local count = one.state == "done" and documents or 0
    assert.are.equal(one.state == "done" and 1 or nil, done:get(one.name))
    assert.are.equal(count, plans:count { [one.name] = true })
  end
  assert.are.equal(status[2].seen or 0, plans:count { marked = 1 })
  assert.are.equal(documents - (status[2].seen or 0), plans:count { marked = 0 })
  if status[2].state == "running" then assert.are.equal(0, status[2].seen % size) end
  if status[2].state ~= "pending" then assert.are.equal("done", status[1].state) end
  if status[2].state ~= "done" then assert.are.equal("pending", status[3].state) end
  return status
end

local function check_all_done()
  for _, one in ipairs(check_whole()) do assert.are.equal("done", one.state) end
end

describe("a migrator that is killed", function()
  before_each(set_up)
  after_each(take_down)

  it("leaves whole migrations and batches, at each of its steps, and a second one goes on behind them", function()
    local number, states = 0, {}
    repeat
      port.remove_dir(directory .. "/store")
      fill(documents)
      number = number + 1
      local killed = kill_at(number)
      local status = check_whole()
      states[status[1].state .. status[2].state .. (status[2].seen or "") .. status[3].state] = true
      migrate(nothing)
      check_all_done()
    until not killed
    assert.are.equal(3 + documents + 3 + 2 + 3 + 1, number) -- steps, documents, progress, pauses, steps; and the run to the end
    local seen = {}
    for state in pairs(states) do seen[#seen + 1] = state end
    table.sort(seen)
    assert.are.same({ "donedone12done", "donedone12pending", "donependingpending", "donerunning10pending", "donerunning5pending",
      "pendingpendingpending" }, seen)
  end)

  it("comes to the end when it is begun again and again", function()
    documents, size = 200, 3
    fill(documents)
    local kills = 0
    for round = 1, 1000 do
      local pid = child(migrate, nothing, { pause_ms = 0 })
      port.sleep(0.002 + math.random() * 0.01 * (1 + round / 50))
      port.kill(pid, 9)
      local _, how = port.waitpid(pid)
      local status = check_whole()
      if status[3].state == "done" then break end
      assert.are.equal("killed", how, "round " .. round)
      kills = kills + 1
    end
    check_all_done()
    assert.is_true(kills > 0, "none was killed before the end")
  end)
end)

describe("two migrators at once", function()
  before_each(set_up)
  after_each(take_down)

  it("one runs, and the other waits and finds nothing to do", function()
    fill(documents)
    local begun_from, begun_to = port.pipe()
    local go_from, go_to = port.pipe()
    local count_from, count_to = port.pipe()
    local first = child(function()
      local steps = 0
      migrate(function()
        steps = steps + 1
        if steps ~= 2 then return end
        port.write(begun_to, "b")
        port.read(go_from, 1)
      end)
    end)
    assert.are.equal("b", port.read(begun_from, 1)) -- the first one is inside its first migration
    local second = child(function() port.write(count_to, tostring(#migrate(nothing, { to = 1 }))) end)
    port.sleep(0.2)
    assert.are.equal(0, (port.waitpid(second, true)), "the second one did not wait")
    port.write(go_to, "g")
    expect_success(first)
    expect_success(second)
    assert.are.equal("0", port.read(count_from, 9))
    check_all_done()
    for _, pipe in ipairs { begun_from, begun_to, go_from, go_to, count_from, count_to } do port.close(pipe) end
  end)

  it("run each migration and each batch once, whoever does", function()
    documents = 100
    fill(documents)
    local pids = {}
    for i = 1, 4 do pids[i] = child(migrate, nothing) end
    for _, pid in ipairs(pids) do expect_success(pid) end
    check_all_done()
  end)

  it("take back once what both mean to", function()
    fill(documents)
    migrate(nothing)
    local said_from, said_to = port.pipe()
    local go_from, go_to = port.pipe()
    local function down(wait)
      local store <close> = larder.open(url())
      local all = list(nothing)
      all[3].down = function(tx)
        tx:collection("plans"):update_where({}, { last = larder.remove })
        tx:map("done"):delete "last"
        wait()
      end
      local migrations = larder.migrations(store, all)
      port.write(said_to, "a")
      port.write(said_to, tostring(#migrations:down()))
    end
    local first = child(down, function()
      port.write(said_to, "b")
      port.read(go_from, 1)
    end)
    assert.are.equal("ab", read_exactly(said_from, 2)) -- the first one is inside
    local second = child(down, nothing)
    assert.are.equal("a", read_exactly(said_from, 1))
    port.sleep(0.2) -- the second one has looked, and waits for the lock
    port.write(go_to, "g")
    expect_success(first)
    expect_success(second)
    local counts = read_exactly(said_from, 2)
    assert.is_truthy(counts == "01" or counts == "10", counts)
    assert.are.equal("pending", check_whole()[3].state)
    for _, pipe in ipairs { said_from, said_to, go_from, go_to } do port.close(pipe) end
  end)
end)
