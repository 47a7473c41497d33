-- The main job: a directory of MovieMatch's room files is taken into an LMDB store; a second process opens it
-- again, gives every room back exactly as it was, rates, and finds matches.
--
--     lua5.4 examples/movie_rooms.lua [rooms directory]
local larder = require "larder"

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b and math.type(a) == math.type(b) end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function show(title, stats)
  print(("%-28s %d rooms, %d ratings, %d likes, %d matches"):format(
    title, stats.rooms, stats.ratings, stats.likes, stats.matches))
end

local function import(directory, url)
  local store <close> = larder.open(url)
  print("imported", store:rooms():import(directory) .. " files")
  show("the first process sees", store:rooms():stats())
end

-- The exported files, read back, are the rooms of the store.
local function export(store, directory)
  local count = store:rooms():export(directory)
  local copy <close> = larder.open "memory:"
  copy:rooms():import(directory)
  for name in store:rooms():names() do
    assert(same(store:rooms():get(name), copy:rooms():get(name)), name)
  end
  print("exported", count .. " files, and read them back: all the same")
end

local function rate(rooms)
  local name = rooms:names()()
  for _, user in ipairs{ "larder-1", "larder-2" } do
    local result = rooms:rate(name, user, "movie-of-the-night", "like")
    print(("%s rates in %q: progress %d%s"):format(user, name, result.progress, result.match and ", a match" or ""))
  end
  print(("%q has %d matches now"):format(name, #rooms:matches(name)))
end

local function reopen(url, exported)
  local store <close> = larder.open(url)
  show("the second process sees", store:rooms():stats())
  export(store, exported)
  rate(store:rooms())
  show("and after rating", store:rooms():stats())
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

if arg[1] == "--reopen" then
  reopen(arg[2], arg[3])
else
  local place = os.tmpname()
  os.remove(place)
  local url = "lmdb:" .. place .. "/store"
  import(arg[1] or "examples/rooms", url)
  local ok = os.execute(("%s %s --reopen %s %s"):format(arg[-1], quote(arg[0]), quote(url), quote(place .. "/rooms")))
  print("the store and the files are in", place)
  os.exit(ok and 0 or 1, true)
end
