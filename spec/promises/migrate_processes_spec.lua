-- Several migrators at once, and one that another process pauses: each migration and each batch is run once, whole.
local larder = require "larder"
local migrators = require "migrators"
local port = require "larder_port"

local fill, nothing, migrate, child = migrators.fill, migrators.nothing, migrators.migrate, migrators.child
local expect_success, read_exactly = migrators.expect_success, migrators.read_exactly
local check_whole, check_all_done = migrators.check_whole, migrators.check_all_done

describe("a migrator that another process pauses", function()
  before_each(migrators.set_up)
  after_each(migrators.take_down)

  local function call(method)
    expect_success(child(function()
      local store <close> = larder.open(migrators.url())
      assert(larder.migrations(store, {})[method](larder.migrations(store, {})))
    end))
  end

  it("stops behind its batch, nobody begins another, and it goes on when a third one resumes", function()
    fill(migrators.documents)
    local at_from, at_to = port.pipe()
    local go_from, go_to = port.pipe()
    local runner = child(function()
      local report = migrate(nothing, { sleep = nothing, progress = function(entry)
        port.write(at_to, tostring(entry.batches))
        port.read(go_from, 1)
      end })
      assert(report.paused and #report == 2 and report[2].seen == migrators.size and report[2].more)
    end)
    assert.are.equal("1", port.read(at_from, 1)) -- between its first batch and its second
    call "pause"
    port.write(go_to, "g")
    expect_success(runner)
    assert.are.equal(migrators.size, check_whole()[2].seen)
    local ok, e = pcall(migrate, nothing)
    assert.is_truthy(not ok and e.message:find("paused since", 1, true))
    call "resume"
    assert.are.equal(2, #migrate(nothing))
    check_all_done()
    for _, pipe in ipairs { at_from, at_to, go_from, go_to } do port.close(pipe) end
  end)
end)

describe("two migrators at once", function()
  before_each(migrators.set_up)
  after_each(migrators.take_down)

  it("one runs, and the other waits and finds nothing to do", function()
    fill(migrators.documents)
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

  it("the one that waits runs it all when the first one is killed inside", function()
    fill(migrators.documents)
    local begun_from, begun_to = port.pipe()
    local first = child(function()
      migrate(function()
        port.write(begun_to, "b")
        port.sleep(60)
      end)
    end)
    assert.are.equal("b", port.read(begun_from, 1)) -- inside its first migration
    local second = child(function() assert(#migrate(nothing) == 3) end)
    port.sleep(0.2)
    assert.are.equal(0, (port.waitpid(second, true)), "the second one did not wait")
    port.kill(first, 9)
    port.waitpid(first)
    expect_success(second)
    check_all_done()
    for _, pipe in ipairs { begun_from, begun_to } do port.close(pipe) end
  end)

  it("run each migration and each batch once, whoever does", function()
    migrators.documents = 100
    fill(migrators.documents)
    local pids = {}
    for i = 1, 4 do pids[i] = child(migrate, nothing) end
    for _, pid in ipairs(pids) do expect_success(pid) end
    check_all_done()
  end)

  it("take back once what both mean to", function()
    fill(migrators.documents)
    migrate(nothing)
    local said_from, said_to = port.pipe()
    local go_from, go_to = port.pipe()
    local function down(wait)
      local store <close> = larder.open(migrators.url())
      local all = migrators.list(nothing)
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
