-- backups.lua -- the rows about backups: what one that another process makes costs a writer. As in rows.lua.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"

local backups = {}

local DOCUMENTS, ACCOUNTS, EACH = 200000, 1000, 100

-- Makes one backup after the other until the file `stop` is there, then looks at the last: every transaction keeps the sum.
local PROGRAM = [[
local larder = require "larder"
local path = arg[2] .. "/backup"
local store, made, sum = larder.open(arg[1]), 0, 0
repeat
  os.execute("rm -rf '" .. path .. "'")
  store:backup(path)
  made = made + 1
until os.rename(arg[2] .. "/stop", arg[2] .. "/stop")
local copy <close> = larder.open("lmdb:" .. path .. "?read_only=true")
for _, value in copy:map "accounts":range() do sum = sum + value end
print(sum == tonumber(arg[3]) and made or "a backup holds half a transaction")
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

-- The writer with another process that backs the store up all the while.
local function beside_backups(url, folder, run)
  write_file(folder .. "/program.lua", PROGRAM)
  local command = ("%s '%s/program.lua' '%s' '%s' %d"):format(
    arg[-1] or "lua5.4", folder, url, folder, ACCOUNTS * EACH)
  local pipe
  local function stop()
    if not pipe then return end
    write_file(folder .. "/stop", "")
    local made = pipe:read "n"
    pipe:close()
    pipe = nil
    assert(made and made > 0, "no backup, or one that holds half a transaction")
  end
  local function prepare()
    stop()
    os.remove(folder .. "/stop")
    pipe = assert(io.popen(command))
  end
  return {
    prepare = prepare,
    run = function(n)
      run(n)
      write_file(folder .. "/stop", "")
    end,
    stop = stop,
  }
end

local function group(durability, least)
  local folder = data.folder()
  local url = ("lmdb:%s/store?durability=%s"):format(folder, durability)
  local store = larder.open(url)
  fill(store)
  local run = writer(store)
  local disturbed = beside_backups(url, folder, run)
  disturbed.least, disturbed.most = least, least
  local alone = { least = least, most = least, run = run, prepare = disturbed.stop }
  local title = durability == "commit" and "durable" or "not durable"
  return {
    clock = measure.wall,
    rows = {
      { title = "commit to a store of 50 MiB, " .. title, contestants = { larder = alone } },
      { title = "while another process backs it up", contestants = { larder = disturbed }, target = { row = 1, limit = 1 / 0.7 } },
    },
    close = function()
      disturbed.stop()
      store:close()
    end,
  }
end

function backups.durable() return group("commit", 1000) end
function backups.unsynced() return group("none", 60000) end

return backups
