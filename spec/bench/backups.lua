-- backups.lua -- the rows about backups: what one that another process makes costs a writer. As in rows.lua.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"

local core = require "larder.core"

local backups = {}

local DOCUMENTS, ACCOUNTS, EACH = 200000, 1000, 100
local SOME = 8 -- commits between two looks at the clock
local PAIRS = 2 -- of windows, for each round

-- For each line that it reads: makes a backup, between the files `begun` and `ended`, and looks into it: every transaction keeps the sum.
local PROGRAM = [[
local larder = require "larder"
local path = arg[2] .. "/backup"
local store = larder.open(arg[1])
local function mark(name) io.open(arg[2] .. "/" .. name, "w"):close() end
for _ in io.lines() do
  mark "begun"
  store:backup(path)
  mark "ended"
  local sum = 0
  do
    local copy <close> = larder.open("lmdb:" .. path .. "?read_only=true")
    for _, value in copy:map "accounts":range() do sum = sum + value end
  end
  assert(sum == tonumber(arg[3]), "the backup holds half a transaction")
  os.execute("rm -rf '" .. path .. "'")
  mark "checked"
end
]]

local function fill(store)
  store:update(function(tx)
    for i = 1, DOCUMENTS do
      tx:collection("plans"):put { id = i, title = ("plan "):rep(20) .. i }
    end
    for i = 1, ACCOUNTS do
      tx:map("accounts"):set(i, EACH)
    end
  end)
end

-- Moves one from an account to another, n times.
local function writer(store)
  local made = 0
  return function(n)
    for _ = 1, n do
      made = made + 1
      store:update(function(tx)
        local accounts = tx:map "accounts"
        accounts:increment(made % ACCOUNTS + 1, -1)
        accounts:increment(made * 7 % ACCOUNTS + 1, 1)
      end)
    end
  end
end

local function write_file(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local function is_there(path) return os.rename(path, path) ~= nil end

local function wait_for(path)
  while not is_there(path) do core.sleep(0.001) end
  os.remove(path)
end

-- Windows of the writer, by the clock; each returns the seconds that a commit took.
local function windows(folder, url, run)
  write_file(folder .. "/program.lua", PROGRAM)
  local pipe = assert(io.popen(("%s '%s/program.lua' '%s' '%s' %d"):format(
    arg[-1] or "lua5.4", folder, url, folder, ACCOUNTS * EACH), "w"))
  local length = 0.5 -- seconds that a backup took
  local function measured(is_over)
    local commits, started = 0, measure.wall()
    repeat
      run(SOME)
      commits = commits + SOME
    until is_over(measure.wall() - started)
    return (measure.wall() - started) / commits, measure.wall() - started
  end
  local function alone()
    return (measured(function(seconds) return seconds >= length end))
  end
  -- From the beginning of a backup to its end.
  local function beside()
    pipe:write "go\n"
    pipe:flush()
    wait_for(folder .. "/begun")
    local each
    each, length = measured(function() return is_there(folder .. "/ended") end)
    os.remove(folder .. "/ended")
    wait_for(folder .. "/checked")
    return each
  end
  return alone, beside, function() assert(pipe:close(), "a backup went wrong") end
end

-- What the window before has left to the disk to do is not the next one's.
local function rested(window)
  os.execute "sync"
  core.sleep(0.3)
  return window()
end

-- One window without and one with a backup, the other way round the next time.
local function race(alone, beside)
  local times = { { larder = {} }, { larder = {} } }
  beside() -- warms up, and tells how long it takes
  for pair = 1, PAIRS * measure.rounds do
    local without = pair % 2 == 0 and rested(alone)
    times[2].larder[pair] = rested(beside)
    times[1].larder[pair] = without or rested(alone)
  end
  return times
end

local function group(durability)
  local folder = data.folder()
  local url = ("lmdb:%s/store?durability=%s"):format(folder, durability)
  local store = larder.open(url)
  fill(store)
  local alone, beside, close = windows(folder, url, writer(store))
  local title = durability == "commit" and "durable" or "not durable"
  return {
    measure = function() return race(alone, beside) end,
    rows = {
      { title = "commit to a store of 50 MiB, " .. title },
      { title = "while another process backs it up", target = { row = 1, limit = 1 / 0.7 } },
    },
    close = function()
      close()
      store:close()
    end,
  }
end

function backups.durable() return group "commit" end
function backups.unsynced() return group "none" end

return backups
