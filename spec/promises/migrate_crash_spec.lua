-- Migrators that are killed at each of their steps: each migration and each batch is run once, whole.
local migrators = require "migrators"
local port = require "larder_port"

local fill, nothing, migrate, child = migrators.fill, migrators.nothing, migrators.migrate, migrators.child
local kill_at, check_whole, check_all_done = migrators.kill_at, migrators.check_whole, migrators.check_all_done

describe("a migrator that is killed", function()
  before_each(migrators.set_up)
  after_each(migrators.take_down)

  it("leaves whole migrations and batches, at each of its steps, and a second one goes on behind them", function()
    local number, states = 0, {}
    repeat
      migrators.remove_store()
      fill(migrators.documents)
      number = number + 1
      local killed = kill_at(number)
      local status = check_whole()
      states[status[1].state .. status[2].state .. (status[2].seen or "") .. status[3].state] = true
      migrate(nothing)
      check_all_done()
    until not killed
    assert.are.equal(3 + migrators.documents + 3 + 2 + 3 + 1, number) -- steps, documents, progress, pauses, steps; and the run to the end
    local seen = {}
    for state in pairs(states) do seen[#seen + 1] = state end
    table.sort(seen)
    assert.are.same({ "donedone12done", "donedone12pending", "donependingpending", "donerunning10pending", "donerunning5pending",
      "pendingpendingpending" }, seen)
  end)

  --- Kill the call at each of its steps, on a store where all is done; `after(status)` is asked after each kill, and runs it to the end.
  local function kill_each(count, after, ...)
    local number = 0
    repeat
      migrators.remove_store()
      fill(migrators.documents)
      migrate(nothing)
      number = number + 1
      local killed = kill_at(number, ...)
      after(check_whole(), killed)
    until not killed
    assert.are.equal(count + 1, number)
  end

  it("leaves whole migrations when it takes back, at each of its steps", function()
    local seen = {}
    kill_each(3 + 2 + 3, function(status)
      seen[#seen + 1] = status[1].state .. status[2].state .. status[3].state
      migrate(nothing, {}, "to", 0)
      for _, one in ipairs(check_whole()) do assert.are.equal("pending", one.state) end
      migrate(nothing)
      check_all_done()
    end, {}, "to", 0)
    assert.are.same({ "donedonedone", "donedonedone", "donedonedone", "donedonepending", "donedonepending", "donependingpending",
      "donependingpending", "donependingpending", "pendingpendingpending" }, seen)
  end)

  it("leaves it done when it does it again, at each of its steps", function()
    kill_each(3 + 3, check_all_done, {}, "redo")
  end)

  it("leaves nothing of a dry run, at each of its steps", function()
    kill_each(3 + 2 + 3, check_all_done, { dry_run = true }, "to", 0)
    local number = 0
    repeat
      migrators.remove_store()
      fill(migrators.documents)
      number = number + 1
      local killed = kill_at(number, { dry_run = true })
      for _, one in ipairs(check_whole()) do assert.are.equal("pending", one.state) end
    until not killed
    assert.are.equal(3 + migrators.documents + 3 + 3 + 1, number)
  end)

  it("comes to the end when it is begun again and again", function()
    migrators.documents, migrators.size = 200, 3
    fill(migrators.documents)
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
