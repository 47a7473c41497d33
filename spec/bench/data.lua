-- data.lua -- the rooms that are measured, the same in every run, and where they are kept meanwhile.
local data = {}

--- How a room is named; names sort like their numbers.
---@param i integer
---@return string
function data.name(i)
  return ("movie-night-%06d"):format(i)
end

--- A room as MovieMatch makes it, before anybody rates.
---@param i integer
---@return table
function data.small_room(i)
  return {
    roomName = data.name(i),
    sort = "random",
    createdAt = "2024-05-17T19:30:00.000Z",
    creatorPlexUserId = tostring(100000 + i),
    creatorPlexUsername = "user-" .. i,
    filters = {
      { key = "genre", operator = "=", value = { "28", "35", "878" } },
      { key = "year", operator = ">=", value = { "1990" } },
      { key = "contentRating", operator = "!=", value = { "R", "NC-17" } },
    },
    options = { "EndOnFirstMatch", "PosterOverlay" },
  }
end

-- A fixed sequence of numbers from 1 to `high`, the same everywhere.
local function numbers(seed)
  local state = seed
  return function(high)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % high + 1
  end
end

--- A room in which `users` have rated: each rating on a medium of `media`, nobody twice on the same.
---@param i integer
---@param ratings integer
---@param users integer
---@param media integer
---@return table
function data.rated_room(i, ratings, users, media)
  local room, random, made = data.small_room(i), numbers(i), 0
  room.ratings, room.userProgress = {}, {}
  while made < ratings do
    local user = "user-" .. 1000 + made % users
    local key = "movie-" .. random(32768) % media + 1
    local votes = room.ratings[key] or {}
    local voted = false
    for _, vote in ipairs(votes) do
      voted = voted or vote[1] == user
    end
    if not voted then
      votes[#votes + 1] = { user, random(5) > 2 and "like" or "dislike", 1715974200000 + made * 1000 }
      room.ratings[key] = votes
      room.userProgress[user] = (room.userProgress[user] or 0) + 1
      made = made + 1
    end
  end
  return room
end

local STATUSES = { "open", "planned", "running", "done", "failed" }
local TAGS = { "kitchen", "urgent", "billing", "winter", "draft", "shared", "archive" }
local TEAMS = { "red", "orange", "yellow", "green", "blue", "violet", "white", "grey", "black", "brown" }

--- Of whom the i-th of `count` documents is: everybody has 20 of them, far apart.
---@param i integer
---@param count integer
---@return string
function data.email(i, count)
  return ("user-%06d@mail.example.org"):format(i * 7919 % (count // 20))
end

--- The i-th of `count` documents, about 250 bytes; 1 % of them are of team blue and priority 9.
---@param i integer
---@param count integer
---@return table
function data.document(i, count)
  return {
    id = ("plan-%07d"):format(i),
    status = STATUSES[i * 31 % 5 + 1],
    email = data.email(i, count),
    title = "Plan number " .. i,
    tags = { TAGS[i % 7 + 1], TAGS[(i // 7 + 3) % 7 + 1] },
    createdAt = 1715974200000 + i * 7919 % count * 1000,
    updatedAt = 1715974200000 + i * 104729 % count * 1000,
    priority = i % 10,
    amount = i % 997 + 0.25,
    owner = { id = 1000 + i * 7919 % (count // 20), name = "Owner " .. i % 500, team = TEAMS[i // 10 % 10 + 1] },
  }
end

--- Whether two values are the same, all the way down.
function data.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not data.same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

-- ---- folders ----

local function quote(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

local function first_line(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "l"
  return pipe:close() and line or error("failed: " .. command)
end

local base
local made = 0

--- A new folder. All of them are removed by `data.clean`.
---@return string path
function data.folder()
  if not base then
    local parent = os.getenv "BENCH_DIR" or os.getenv "TMPDIR" or "/tmp"
    base = first_line("mktemp -d " .. quote(parent .. "/larder-bench-XXXXXX"))
  end
  made = made + 1
  local path = base .. "/" .. made
  assert(os.execute("mkdir " .. quote(path)))
  return path
end

--- Remove a folder that `data.folder` made.
---@param path string
function data.remove(path)
  assert(base and path:sub(1, #base) == base)
  assert(os.execute("rm -rf " .. quote(path)))
end

function data.clean()
  if base then
    data.remove(base)
    base = nil
  end
end

--- The JSON files of a folder.
---@param path string
---@return string[] paths
function data.json_files(path)
  local files = {}
  local pipe = assert(io.popen("ls " .. quote(path)))
  for name in pipe:lines() do
    if name:find "%.json$" then
      files[#files + 1] = path .. "/" .. name
    end
  end
  pipe:close()
  return files
end

return data
