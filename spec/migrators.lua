--- Migrators in processes of their own, for the specs that kill and pause them: three migrations of a store with `documents`, the second of
--- batches of `size`.
local assert = require "luassert"
local larder = require "larder"
local port = require "larder_port"

local migrators = {}

local directory

function migrators.set_up()
  migrators.documents, migrators.size, directory = 12, 5, assert(port.temp_dir())
end

function migrators.take_down()
  port.remove_dir(directory)
end

function migrators.remove_store()
  port.remove_dir(directory .. "/store")
end

function migrators.url()
  return "lmdb:" .. directory .. "/store?durability=system"
end

function migrators.fill(count)
  local store <close> = larder.open(migrators.url())
  store:update(function(tx)
    for i = 1, count do tx:collection("plans"):put { id = i, marked = 0 } end
  end)
end

--- `step` is called wherever a migrator may be killed.
function migrators.list(step)
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
  local function take(name)
    return function(tx)
      step()
      tx:map("done"):delete(name)
      step()
      tx:collection("plans"):update_where({}, { [name] = larder.remove })
      step()
    end
  end
  local function unmark(tx)
    step()
    tx:collection("plans"):update_where({}, { marked = 0 })
    step()
  end
  return {
    { name = "first", checksum = "1", up = add "first", down = take "first" },
    { name = "mark", checksum = "2", collection = "plans", size = migrators.size, pause_ms = 1, batch = function(document)
      step()
      document.marked = document.marked + 1
      return document
    end, down = unmark },
    { name = "last", checksum = "3", up = add "last", down = take "last" },
  }
end

local function nothing() end
migrators.nothing = nothing

--- Call the method, "up" when nothing is said.
function migrators.migrate(step, options, method, ...)
  local store <close> = larder.open(migrators.url())
  options = options or {}
  options.sleep, options.progress = options.sleep or step, options.progress or step
  local migrations = larder.migrations(store, migrators.list(step))
  local arguments = table.pack(...)
  arguments[arguments.n + 1] = options
  return migrations[method or "up"](migrations, table.unpack(arguments, 1, arguments.n + 1))
end

--- Run the function in a child; returns its pid. A child that raises ends with 1 and says why.
function migrators.child(work, ...)
  local pid = assert(port.fork())
  if pid ~= 0 then return pid end
  local ok, problem = pcall(work, ...)
  if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
  port._exit(ok and 0 or 1)
end

function migrators.expect_success(pid)
  local _, how, code = port.waitpid(pid)
  assert.are.same({ "exited", 0 }, { how, code })
end

function migrators.read_exactly(pipe, count)
  local got = ""
  while #got < count do
    local part = port.read(pipe, count - #got)
    if part == "" then break end
    got = got .. part
  end
  return got
end

--- Kill a migrator at its step of that number; false when it has fewer. It calls what `migrate` is told behind the options.
function migrators.kill_at(number, options, ...)
  local from, to = port.pipe()
  local pid = migrators.child(function(...)
    port.close(from)
    local count = 0
    migrators.migrate(function()
      count = count + 1
      port.write(to, ".")
      if count == number then port.sleep(60) end
    end, options, ...)
  end, ...)
  port.close(to)
  local reached = #migrators.read_exactly(from, number)
  if reached == number then port.kill(pid, 9) end
  local _, how = port.waitpid(pid)
  port.close(from)
  assert.are.equal(reached == number and "killed" or "exited", how)
  return reached == number
end

--- What is in the store is what the history says, nothing half.
function migrators.check_whole()
  local store <close> = larder.open(migrators.url())
  local status = larder.migrations(store, migrators.list(nothing)):status()
  local plans, done = store:collection "plans", store:map "done"
  for _, one in ipairs { status[1], status[3] } do
    local count = one.state == "done" and migrators.documents or 0
    assert.are.equal(one.state == "done" and 1 or nil, done:get(one.name))
    assert.are.equal(count, plans:count { [one.name] = true })
  end
  assert.are.equal(status[2].seen or 0, plans:count { marked = 1 })
  assert.are.equal(migrators.documents - (status[2].seen or 0), plans:count { marked = 0 })
  if status[2].state == "running" then assert.are.equal(0, status[2].seen % migrators.size) end
  if status[2].state ~= "pending" then assert.are.equal("done", status[1].state) end
  if status[2].state ~= "done" then assert.are.equal("pending", status[3].state) end
  return status
end

function migrators.check_all_done()
  for _, one in ipairs(migrators.check_whole()) do assert.are.equal("done", one.state) end
end

return migrators
