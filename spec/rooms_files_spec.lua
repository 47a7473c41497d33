-- rooms:import and rooms:export: MovieMatch's own files, one JSON file a room.
local larder = require "larder"
local support = require "support"
local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

-- A folder with these files.
local function folder_of(files)
  local folder = support.folder()
  for name, text in pairs(files) do support.write_file(folder .. "/" .. name, text) end
  return folder
end

local function listing(folder)
  local names = {}
  for name in io.popen(("ls -A '%s'"):format(folder)):lines() do names[#names + 1] = name end
  return names
end

local function import_fails(rooms, folder, options)
  local ok, problem = pcall(rooms.import, rooms, folder, options)
  assert.is_false(ok)
  assert.are.equal("INVALID", problem.code)
  return problem
end

-- Rooms like those of real raters: many media, few users, times in ms.
local function lively_room(number)
  local room = { roomName = "room-" .. number, createdAt = "1999-12-13T09:47:08.000Z", ratings = {}, userProgress = {} }
  for i = 1, 40 * number do
    local media, user = "movie-" .. (i * 7919) % 60 * number, "user-" .. i % 4
    local votes = room.ratings[media] or {}
    votes[#votes + 1] = { user, i % 3 == 0 and "dislike" or "like", 945078428000 + i * 1000 }
    room.ratings[media] = votes
    room.userProgress[user] = (room.userProgress[user] or 0) + 1
  end
  return room
end

local odd_names = {
  "movie night", "a/b", "..", ".hidden", "größe", "nul\0byte", "bytes\xff\xfe", ("long"):rep(255), "%41", "A", "a", "con",
}

on_each_engine("rooms:import", function(given)
  after_each(support.remove_folders)

  it("takes in every .json file, and nothing else", function()
    local folder = folder_of{
      ["one.json"] = '{"roomName": "one", "password": "x", "ratings": {"m": [["ada", "like", 1]]},\n "userProgress": {"ada": 1}}',
      ["two.json"] = '{"roomName": "zwei", "weights": [1, 1.5, 1e3, 9007199254740993]}',
      ["notes.txt"] = "no room", [".hidden.json"] = "no room",
    }
    os.execute(("mkdir '%s/folder.json'"):format(folder))
    assert.are.equal(2, given.rooms:import(folder))
    same({ roomName = "one", password = "x", ratings = { m = { { "ada", "like", 1 } } }, userProgress = { ada = 1 } },
      given.rooms:get "one")
    same({ roomName = "zwei", weights = { 1, 1.5, 1000.0, 9007199254740993 } }, given.rooms:get "zwei")
  end)

  it("says everything that is wrong, in which file and where, and takes nothing", function()
    local problem = import_fails(given.rooms, folder_of{
      ["a.json"] = '{"roomName": "a"}',
      ["b.json"] = '{"roomName": "b",\n  "sort": }',
      ["c.json"] = '{"roomName": "c", "ratings": {"m": [["ada", "meh", 1]]}}',
      ["d.json"] = '{"name": "d"}',
      ["e.json"] = "[]",
      ["f.json"] = '{"roomName": "a"}',
      ["g.json"] = "",
    })
    local files = {}
    for _, one in ipairs(problem.problems) do files[#files + 1] = one.file end
    table.sort(files)
    same({ "b.json", "c.json", "d.json", "e.json", "f.json", "g.json" }, files)
    same({ 2, 11 }, { problem.problems[1].line, problem.problems[1].column })
    assert.truthy(problem.problems[2].message:find("ratings.m[1][2]", 1, true), problem.problems[2].message)
    assert.truthy(problem.problems[3].message:find("roomName", 1, true))
    assert.truthy(problem.problems[#files].message:find("a.json", 1, true), problem.problems[#files].message)
    assert.truthy(tostring(problem):find("b.json:2:11", 1, true), tostring(problem))
    assert.are.equal(0, #given.rooms:list())
  end)

  it("refuses a room that is there already, unless told to replace", function()
    given.rooms:save{ roomName = "a", mine = true }
    local folder = folder_of{ ["a.json"] = '{"roomName": "a", "mine": false}', ["b.json"] = '{"roomName": "b"}' }
    assert.are.equal("a.json", import_fails(given.rooms, folder).problems[1].file)
    assert.is_true(given.rooms:get("a").mine)
    assert.is_false(given.rooms:has "b")
    assert.are.equal(2, given.rooms:import(folder, { replace = true }))
    assert.is_false(given.rooms:get("a").mine)
  end)

  it("is part of its transaction", function()
    local folder = folder_of{ ["a.json"] = '{"roomName": "a"}' }
    pcall(given.store.update, given.store, function(tx)
      assert.are.equal(1, tx:rooms():import(folder))
      assert.is_true(tx:rooms():has "a")
      error "no"
    end)
    assert.is_false(given.rooms:has "a")
  end)

  it("takes an empty folder, and says what is wrong with a folder that cannot be read", function()
    assert.are.equal(0, given.rooms:import(support.folder()))
    local ok, problem = pcall(given.rooms.import, given.rooms, support.folder() .. "/nowhere")
    assert.is_false(ok)
    assert.truthy(problem.message:find("nowhere", 1, true), problem.message)
    raises("INVALID", "directory", given.rooms.import, given.rooms, nil)
    raises("INVALID", "replace", given.rooms.import, given.rooms, support.folder(), { replaced = true })
    raises("INVALID", nil, given.rooms.import, given.rooms, "a\0b")
  end)
end)

on_each_engine("rooms:export", function(given)
  after_each(support.remove_folders)

  it("writes files that are the same rooms when they are taken in again", function()
    local rooms = given.rooms
    for number = 1, 5 do rooms:save(lively_room(number)) end
    for i, name in ipairs(odd_names) do rooms:save{ roomName = name, password = "p" .. i, [i] = { larder.null, 0.1, { [false] = 1 } } } end
    rooms:save{ roomName = "values", big = math.maxinteger, small = math.mininteger, nan = 0 / 0, inf = math.huge, zero = -0.0,
      one = 1.0, empty = larder.array{}, map = {}, bytes = "\xff\0", literal = { ["$numberLong"] = "5" } }
    local folder = support.folder() .. "/new"
    assert.are.equal(5 + #odd_names + 1, rooms:export(folder))
    local copy <close> = larder.open "memory:"
    assert.are.equal(5 + #odd_names + 1, copy:rooms():import(folder))
    for name in rooms:names() do same(rooms:get(name), copy:rooms():get(name)) end
    same(rooms:stats(), copy:rooms():stats())
    assert.are.equal(5 + #odd_names + 1, #listing(folder))
  end)

  it("writes readable JSON with two spaces an indent", function()
    given.rooms:save{ roomName = "a", userProgress = { ada = 1 } }
    local folder = support.folder()
    given.rooms:export(folder)
    assert.are.equal('{\n  "roomName": "a",\n  "userProgress": {\n    "ada": 1\n  }\n}\n', support.read_file(folder .. "/a.json"))
  end)

  it("replaces files of rooms that are there, and leaves others alone", function()
    given.rooms:save{ roomName = "a", fresh = true }
    local folder = folder_of{ ["a.json"] = "old", ["b.json"] = "other" }
    given.rooms:export(folder)
    assert.truthy(support.read_file(folder .. "/a.json"):find "fresh")
    assert.are.equal("other", support.read_file(folder .. "/b.json"))
    same({ "a.json", "b.json" }, listing(folder))
  end)

  it("says what is wrong with a folder that cannot be written", function()
    given.rooms:save{ roomName = "a" }
    local ok, problem = pcall(given.rooms.export, given.rooms, "/proc/nowhere/x")
    assert.is_false(ok)
    assert.truthy(problem.code == "IO" or problem.code == "INVALID", problem.code)
    assert.truthy(problem.message:find("/proc/nowhere", 1, true), problem.message)
  end)
end)
