-- A writer is killed at random moments: every acknowledged commit is there, a room is whole or absent, the store verifies.
local larder = require "larder"
local port = require "larder_port"

local rounds = tonumber(os.getenv "LARDER_CRASH_ROUNDS") or 200
local seed = tonumber(os.getenv "LARDER_SEED") or os.time()
local durabilities = { "commit", "system" } -- in turn; both survive the crash of a process
local rounds_a_store = 10 -- then a new one, so that its creation is hit too
local media, raters = 12, { "ada", "grace" }

local function room_name(number)
  return ("room-%06d"):format(number)
end

local function whole_room(number)
  local room = { roomName = room_name(number), number = number, ratings = {}, userProgress = {} }
  for i = 1, media do
    room.ratings["movie-" .. i] = { { raters[1], "like", number }, { raters[2], i % 2 == 0 and "like" or "dislike", number } }
  end
  for _, user in ipairs(raters) do room.userProgress[user] = media end
  return room
end

-- The writer: a room of many rows and a rating, each a commit; one byte to the pipe for each that was acknowledged.
local function write_forever(url, pipe, first)
  local store = larder.open(url)
  local rooms = store:rooms()
  if not rooms:has "counter" then rooms:save{ roomName = "counter" } end
  port.write(pipe, "o")
  for number = first, math.huge do
    rooms:save(whole_room(number))
    port.write(pipe, "s")
    rooms:rate("counter", "ada", "movie-" .. number, "like", number)
    port.write(pipe, "r")
  end
end

local function start_writer(url, first)
  local from, to = port.pipe()
  local pid = port.fork()
  if pid == 0 then
    port.close(from)
    local ok, problem = pcall(write_forever, url, to, first)
    io.stderr:write("writer: ", tostring(ok), " ", tostring(problem), "\n")
    port._exit(1)
  end
  port.close(to)
  return pid, from
end

local function drain(pipe)
  local parts = {}
  repeat
    local part = port.read(pipe)
    parts[#parts + 1] = part
  until part == ""
  port.close(pipe)
  return table.concat(parts)
end

-- Returns what was acknowledged: opened, saves, ratings.
local function run_and_kill(url, first)
  local pid, pipe = start_writer(url, first)
  port.sleep(math.random() ^ 2 * 0.03)
  port.kill(pid, 9)
  local _, how, signal = port.waitpid(pid)
  assert.are.same({ "killed", 9 }, { how, signal })
  local acknowledged = drain(pipe)
  return acknowledged:find("o", 1, true) ~= nil, select(2, acknowledged:gsub("s", "")), select(2, acknowledged:gsub("r", ""))
end

local function check_rooms(rooms, last)
  for number = 1, last do assert.are.same(whole_room(number), rooms:get(room_name(number))) end
  local next_one = rooms:get(room_name(last + 1))
  if next_one ~= nil then assert.are.same(whole_room(last + 1), next_one) end
  assert.is_nil(rooms:get(room_name(last + 2)))
  return next_one ~= nil
end

local function check_structure(directory)
  local engine = assert(port.open("lmdb", { path = directory }, { rows = true }))
  assert.are.same({}, engine:check())
  engine:close()
end

-- Returns the number of the last room that is there.
local function check_store(directory, opened, last)
  local store <close> = larder.open("lmdb:" .. directory)
  local rooms = store:rooms()
  local counter = rooms:get "counter"
  if opened then assert.is_table(counter) end
  local more = check_rooms(rooms, last)
  local progress = counter and counter.userProgress and counter.userProgress.ada or 0
  local rated = 0
  for _ in pairs(counter and counter.ratings or {}) do rated = rated + 1 end
  assert.are.equal(progress, rated)
  return more and last + 1 or last, rated
end

describe("a store whose writer is killed", function()
  it(("keeps what was acknowledged and nothing half-done, %d rounds (LARDER_SEED=%d)"):format(rounds, seed), function()
    math.randomseed(seed)
    local directory, last, rated = nil, 0, 0
    local acknowledged = 0
    for round = 1, rounds do
      if round % rounds_a_store == 1 then
        if directory then port.remove_dir(directory) end
        directory, last, rated = assert(port.temp_dir()), 0, 0
      end
      local durability = durabilities[round // rounds_a_store % #durabilities + 1]
      local url = ("lmdb:%s/store?durability=%s"):format(directory, durability)
      local opened, saves, ratings = run_and_kill(url, last + 1)
      acknowledged = acknowledged + saves + ratings
      local rated_now
      last, rated_now = check_store(directory .. "/store", opened, last + saves)
      assert.is_true(rated_now >= rated + ratings and rated_now <= rated + ratings + 1,
        ("round %d: %d ratings, %d were there and %d acknowledged"):format(round, rated_now, rated, ratings))
      rated = rated_now
      check_structure(directory .. "/store")
    end
    port.remove_dir(directory)
    assert.is_true(acknowledged > 0, "no writer came as far as a commit")
  end)
end)
