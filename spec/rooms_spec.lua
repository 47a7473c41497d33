local larder = require "larder"
local support = require "support"

local on_each_engine, same, none, raises = support.on_each_engine, support.same, support.none, support.raises

--- As MovieMatch writes it.
local function movie_night()
  return {
    roomName = "movie night",
    password = "popcorn",
    filters = { { key = "genre", operator = "=", value = { "Action", "Drama" } } },
    options = larder.array {},
    sort = "random",
    createdAt = "2024-05-01T12:00:00.000Z",
    creatorPlexUserId = "1234",
    creatorPlexUsername = "jo",
    ratings = {
      ["/library/1"] = { { "jo", "like", 1714564800000 }, { "al", "like", 1714564801000 } },
      ["/library/2"] = { { "jo", "dislike", 1714564802000.5 } },
      ["/library/3"] = larder.array {},
    },
    userProgress = { jo = 2, al = 1 },
    theme = { dark = true, accent = larder.null },
  }
end

local function without(room, ...)
  for _, field in ipairs { ... } do room[field] = nil end
  return room
end

on_each_engine("rooms:save and rooms:get", function(given)
  it("give a room back as it was, whole", function()
    given.rooms:save(movie_night())
    same(movie_night(), given.rooms:get "movie night")
  end)

  it("give back a room of nothing but its name", function()
    given.rooms:save { roomName = "bare" }
    same({ roomName = "bare" }, given.rooms:get "bare")
  end)

  it("keep empty ratings and progress apart from none", function()
    given.rooms:save { roomName = "new", ratings = {}, userProgress = {} }
    same({ roomName = "new", ratings = {}, userProgress = {} }, given.rooms:get "new")
  end)

  it("keep fields of their own at the top, whatever their keys", function()
    local room = { roomName = "own", [1] = "a", [3] = "c", [2.5] = 1, [true] = 2, [""] = 3, ["rating"] = { x = 1 } }
    given.rooms:save(room)
    same(room, given.rooms:get "own")
  end)

  it("leave the table that was saved alone", function()
    local room = movie_night()
    given.rooms:save(room)
    same(movie_night(), room)
  end)

  it("give tables that belong to the caller", function()
    given.rooms:save(movie_night())
    given.rooms:get("movie night").filters[1] = nil
    same(movie_night(), given.rooms:get "movie night")
  end)
end)

on_each_engine("rooms:save", function(given)
  it("replaces all of a room, ratings and progress included", function()
    given.rooms:save(movie_night())
    given.rooms:rate("movie night", "eva", "/library/9", "like", 5)
    local later = { roomName = "movie night", ratings = { ["/library/2"] = { { "jo", "like", 1 } } }, sort = "title" }
    given.rooms:save(later)
    same(later, given.rooms:get "movie night")
    none(given.rooms:matches "movie night")
    same({ rooms = 1, ratings = 1, likes = 1, matches = 0, match_rate = given.rooms:stats().match_rate }, given.rooms:stats())
  end)

  it("forgets who has rated what before", function()
    given.rooms:save(movie_night())
    given.rooms:save { roomName = "movie night" }
    same({ rated = true, progress = 1 }, given.rooms:rate("movie night", "jo", "/library/1", "like", 5))
  end)

  it("touches no other room", function()
    local names = { "a", "ab", "a\0", "a\0b", "b", "A" }
    local function room(name) return { roomName = name, ratings = { m = { { "u-" .. name, "like", 1 } } }, userProgress = { u = 1 } } end
    for _, name in ipairs(names) do given.rooms:save(room(name)) end
    given.rooms:save { roomName = "a" }
    assert.is_true(given.rooms:delete "a")
    for i = 2, #names do same(room(names[i]), given.rooms:get(names[i])) end
  end)

  it("takes a large room", function()
    local room = { roomName = "large", ratings = {}, userProgress = {} }
    for i = 1, 3000 do
      room.ratings["media " .. i] = { { "u1", "like", i }, { "u2", i % 2 == 0 and "like" or "dislike", i + 0.5 } }
    end
    given.rooms:save(room)
    same(room, given.rooms:get "large")
    assert.are.equal(1500, #given.rooms:matches "large")
    assert.is_true(given.rooms:delete "large")
    same(0, given.rooms:stats().ratings)
  end)
end)

on_each_engine("rooms:get", function(given)
  it("is nil for a room that is not there", function()
    assert.is_nil(given.rooms:get "nobody")
    given.rooms:save { roomName = "nobody here" }
    assert.is_nil(given.rooms:get "nobody")
  end)

  it("leaves out ratings and progress, and nothing else, with ratings = false", function()
    given.rooms:save(movie_night())
    same(without(movie_night(), "ratings", "userProgress"), given.rooms:get("movie night", { ratings = false }))
    same(movie_night(), given.rooms:get("movie night", { ratings = true }))
    assert.is_nil(given.rooms:get("nobody", { ratings = false }))
  end)

  it("refuses options it does not know, naming the nearest", function()
    raises("INVALID", { "rating", "ratings" }, given.rooms.get, given.rooms, "x", { rating = false })
    raises("INVALID", "ratings", given.rooms.get, given.rooms, "x", { ratings = "no" })
    raises("INVALID", nil, given.rooms.get, given.rooms, "x", "ratings")
  end)
end)

on_each_engine("rooms:has and rooms:delete", function(given)
  it("answer with booleans", function()
    assert.is_false(given.rooms:has "movie night")
    assert.is_false(given.rooms:delete "movie night")
    given.rooms:save(movie_night())
    assert.is_true(given.rooms:has "movie night")
    assert.is_false(given.rooms:has "movie")
    assert.is_true(given.rooms:delete "movie night")
    assert.is_false(given.rooms:has "movie night")
    assert.is_false(given.rooms:delete "movie night")
  end)

  it("leave nothing of a deleted room behind", function()
    given.rooms:save { roomName = "the first" }
    given.rooms:delete "the first"
    local empty = given.store:stats().entries
    given.rooms:save(movie_night())
    given.rooms:delete "movie night"
    assert.is_nil(given.rooms:get "movie night")
    none(given.rooms:list())
    assert.are.equal(empty, given.store:stats().entries)
    given.rooms:save { roomName = "movie night" }
    same({ roomName = "movie night" }, given.rooms:get "movie night")
    none(given.rooms:matches "movie night")
  end)
end)

on_each_engine("rooms:check_password", function(given)
  it("accepts the password and nothing else", function()
    given.rooms:save(movie_night())
    assert.is_true(given.rooms:check_password("movie night", "popcorn"))
    for _, wrong in ipairs { "", "p", "popcor", "popcorn ", "Popcorn", "popcorn\0", "\0popcorn" } do
      assert.is_false(given.rooms:check_password("movie night", wrong))
    end
    assert.is_false(given.rooms:check_password("movie night", nil))
  end)

  it("accepts anything in a room without one", function()
    given.rooms:save { roomName = "open" }
    assert.is_true(given.rooms:check_password("open", "guess"))
    assert.is_true(given.rooms:check_password("open", ""))
    assert.is_true(given.rooms:check_password("open", nil))
  end)

  it("compares bytes that are no text", function()
    given.rooms:save { roomName = "bytes", password = "\0\xff" }
    assert.is_true(given.rooms:check_password("bytes", "\0\xff"))
    assert.is_false(given.rooms:check_password("bytes", "\0\xfe"))
  end)

  it("is nil in a room that is not there", function()
    assert.is_nil(given.rooms:check_password("nobody", "popcorn"))
  end)
end)

describe("store:rooms", function()
  it("keeps passwords as given with passwords = \"plain\", and refuses other ways", function()
    local store <close> = larder.open "memory:"
    local rooms = store:rooms { passwords = "plain" }
    rooms:save { roomName = "a", password = "x" }
    assert.are.equal("x", rooms:get("a").password)
    raises("UNSUPPORTED", "passwords", store.rooms, store, { passwords = "hash" })
    raises("INVALID", "passwords", store.rooms, store, { passwords = "rot13" })
    raises("INVALID", { "password", "passwords" }, store.rooms, store, { password = "plain" })
  end)
end)

on_each_engine("rooms:stats", function(given)
  it("is all zeros without rooms", function()
    same({ rooms = 0, ratings = 0, likes = 0, matches = 0, match_rate = 0.0 }, given.rooms:stats())
  end)

  it("counts rooms, ratings, likes and matches", function()
    given.rooms:save(movie_night())
    given.rooms:save { roomName = "bare" }
    given.rooms:save { roomName = "other", ratings = { ["/library/1"] = { { "jo", "like", 1 } } } }
    given.rooms:rate("other", "al", "/library/1", "like", 2)
    given.rooms:rate("other", "al", "/library/2", "dislike", 3)
    local stats = given.rooms:stats()
    same({ rooms = 3, ratings = 6, likes = 4, matches = 2 }, without(support.copy(stats), "match_rate"))
    assert.is_true(stats.match_rate > 0 and stats.match_rate <= 1)
  end)

  it("follows deletions", function()
    given.rooms:save(movie_night())
    given.rooms:save { roomName = "other", ratings = { m = { { "jo", "like", 1 } } } }
    given.rooms:delete "movie night"
    same({ rooms = 1, ratings = 1, likes = 1, matches = 0 }, without(given.rooms:stats(), "match_rate"))
  end)
end)
