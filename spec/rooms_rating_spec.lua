local model_room = require "model_room"
local support = require "support"

local on_each_engine, same, none, raises = support.on_each_engine, support.same, support.none, support.raises

on_each_engine("rooms:rate", function(given)
  before_each(function() given.rooms:save { roomName = "r" } end)

  it("writes ratings in their order, and counts them as progress", function()
    same({ rated = true, progress = 1 }, given.rooms:rate("r", "jo", "m1", "like", 10))
    same({ rated = true, progress = 2 }, given.rooms:rate("r", "jo", "m2", "dislike", 9.5))
    same({ rated = true, progress = 1 }, given.rooms:rate("r", "al", "m2", "like", 8))
    same({
      roomName = "r",
      ratings = { m1 = { { "jo", "like", 10 } }, m2 = { { "jo", "dislike", 9.5 }, { "al", "like", 8 } } },
      userProgress = { jo = 2, al = 1 },
    }, given.rooms:get "r")
  end)

  it("takes one rating of a user and medium; a second changes nothing", function()
    given.rooms:rate("r", "al", "m", "like", 1)
    given.rooms:rate("r", "jo", "m", "dislike", 2)
    local before = given.rooms:get "r"
    for _, again in ipairs { "like", "dislike" } do
      same({ rated = false, progress = 1 }, given.rooms:rate("r", "jo", "m", again, 3))
      same({ rated = false, progress = 1 }, given.rooms:rate("r", "al", "m", again, 3))
    end
    same(before, given.rooms:get "r")
    none(given.rooms:matches "r")
  end)

  it("knows ratings that came with the room, and goes on counting there", function()
    given.rooms:save { roomName = "r", ratings = { m = { { "jo", "like", 1 } } }, userProgress = { jo = 41 } }
    same({ rated = false, progress = 41 }, given.rooms:rate("r", "jo", "m", "like", 2))
    same({ rated = true, progress = 42 }, given.rooms:rate("r", "jo", "m2", "like", 2))
    same({ jo = 42 }, given.rooms:get("r").userProgress)
  end)

  it("keeps the configuration, and ratings of other rooms, as they were", function()
    local other = { roomName = "r2", ratings = { m = { { "jo", "like", 1 } } }, userProgress = { jo = 1 } }
    given.rooms:save(other)
    given.rooms:save { roomName = "r", password = "x", filters = { { key = "k" } } }
    given.rooms:rate("r", "al", "m", "like", 1)
    same({ roomName = "r", password = "x", filters = { { key = "k" } } }, given.rooms:get("r", { ratings = false }))
    same(other, given.rooms:get "r2")
  end)
end)

on_each_engine("rooms:rate", function(given)
  before_each(function() given.rooms:save { roomName = "r" } end)

  it("takes the time from the store's clock when none is given", function()
    local rooms = given.open({ clock = function() return 1714564800123 end }):rooms()
    rooms:save { roomName = "r" }
    rooms:rate("r", "jo", "m", "like")
    same({ { "jo", "like", 1714564800123 } }, rooms:get("r").ratings.m)
  end)

  it("takes the time from the system's clock, in whole milliseconds, without one", function()
    local before = os.time() * 1000
    given.rooms:rate("r", "jo", "m", "like")
    local time = given.rooms:get("r").ratings.m[1][3]
    assert.are.equal("integer", math.type(time))
    assert.is_true(time >= before and time <= os.time() * 1000 + 1000)
  end)

  it("takes users and media of any bytes up to 1,023 of them", function()
    local long = ("\xf0"):rep(1023)
    local pairs_of = { { long, long }, { long, "m" }, { long:sub(2), "m" }, { "a\0b", "/../m" }, { "\0", "\0\0" }, { "\xff", "ä" } }
    local want = { roomName = "r", ratings = {}, userProgress = {} }
    for i, pair in ipairs(pairs_of) do
      local user, media = pair[1], pair[2]
      want.userProgress[user] = (want.userProgress[user] or 0) + 1
      want.ratings[media] = want.ratings[media] or {}
      table.insert(want.ratings[media], { user, "dislike", i })
      same({ rated = true, progress = want.userProgress[user] }, given.rooms:rate("r", user, media, "dislike", i))
    end
    same(want, given.rooms:get "r")
  end)

  it("raises NOTFOUND, naming the room, where there is none", function()
    raises("NOTFOUND", "nobody", given.rooms.rate, given.rooms, "nobody", "jo", "m", "like", 1)
    assert.is_false(given.rooms:has "nobody")
  end)

  it("refuses what is no rating and writes nothing", function()
    local function refused(code, text, ...) raises(code, text, given.rooms.rate, given.rooms, ...) end
    local wrong = { "likes", "Like", "", "meh", 1, true, {} }
    for _, rating in ipairs(wrong) do refused("INVALID", "rating", "r", "jo", "m", rating, 1) end
    refused("INVALID", nil, "r", "jo", "m")
    for _, time in ipairs { "soon", true, {}, print } do refused("INVALID", "time", "r", "jo", "m", "like", time) end
    for _, other in ipairs { 5, true, {}, print } do
      refused("INVALID", nil, "r", other, "m", "like", 1)
      refused("INVALID", nil, "r", "jo", other, "like", 1)
      refused("INVALID", "name", other, "jo", "m", "like", 1)
    end
    refused("TOOBIG", "1023", "r", ("u"):rep(1024), "m", "like", 1)
    refused("TOOBIG", "1023", "r", "jo", ("m"):rep(1024), "like", 1)
    same({ roomName = "r" }, given.rooms:get "r")
  end)
end)

on_each_engine("rooms:rate's match", function(given)
  before_each(function() given.rooms:save { roomName = "r" } end)
  local function rate(user, rating, time) return given.rooms:rate("r", user, "m", rating, time).match end

  it("is there when a like makes or joins one, and only then", function()
    assert.is_nil(rate("a", "dislike", 1))
    assert.is_nil(rate("b", "like", 2))
    assert.is_nil(rate("c", "dislike", 3))
    same({ mediaId = "m", users = { "b", "d" }, matchedAt = 4 }, rate("d", "like", 4))
    assert.is_nil(rate("e", "dislike", 5))
    assert.is_nil(rate("d", "like", 6))
    same({ mediaId = "m", users = { "b", "d", "f" }, matchedAt = 7 }, rate("f", "like", 7))
  end)

  it("has the time of the latest like, and users in order of rating", function()
    rate("b", "like", 9)
    same({ mediaId = "m", users = { "b", "a" }, matchedAt = 9 }, rate("a", "like", 2))
    same({ mediaId = "m", users = { "b", "a", "c" }, matchedAt = 9.5 }, rate("c", "like", 9.5))
    same({ mediaId = "m", users = { "b", "a", "c", "0" }, matchedAt = 9.5 }, rate("0", "like", -3))
  end)

  it("counts likes that came with the room", function()
    given.rooms:save { roomName = "r", ratings = { m = { { "x", "like", 50 }, { "y", "dislike", 60 } } } }
    same({ mediaId = "m", users = { "x", "z" }, matchedAt = 50 }, rate("z", "like", 40))
  end)
end)

on_each_engine("rooms:matches", function(given)
  local ratings = {
    late = { { "jo", "like", 30 }, { "al", "like", 20 } },
    early = { { "al", "dislike", 99 }, { "jo", "like", 5 }, { "eva", "like", 6.5 } },
    ["tie b"] = { { "al", "like", 10 }, { "eva", "like", 9 } },
    ["tie a"] = { { "eva", "like", 10 }, { "al", "like", 1 } },
    one = { { "jo", "like", 1 }, { "al", "dislike", 2 } },
    none = {},
  }
  local late = { mediaId = "late", users = { "jo", "al" }, matchedAt = 30 }
  local early = { mediaId = "early", users = { "jo", "eva" }, matchedAt = 6.5 }
  local tie_a = { mediaId = "tie a", users = { "eva", "al" }, matchedAt = 10 }
  local tie_b = { mediaId = "tie b", users = { "al", "eva" }, matchedAt = 10 }

  it("are in order of matchedAt, then mediaId", function()
    given.rooms:save { roomName = "r", ratings = ratings }
    same({ early, tie_a, tie_b, late }, given.rooms:matches "r")
  end)

  it("are only what this user liked, with a user", function()
    given.rooms:save { roomName = "r", ratings = ratings }
    same({ early, late }, given.rooms:matches("r", "jo"))
    same({ tie_a, tie_b, late }, given.rooms:matches("r", "al"))
    same({ early, tie_a, tie_b }, given.rooms:matches("r", "eva"))
    none(given.rooms:matches("r", "nobody"))
  end)

  it("are none in a room without ratings, and nil without a room", function()
    given.rooms:save { roomName = "r" }
    none(given.rooms:matches "r")
    assert.is_nil(given.rooms:matches "nobody")
    assert.is_nil(given.rooms:matches("nobody", "jo"))
    raises("INVALID", "user", given.rooms.matches, given.rooms, "r", 5)
  end)

  it("agree with a plain count after many ratings", function()
    given.rooms:save { roomName = "r" }
    support.at_random(function()
      local model, rated = model_room.new(), 0
      given.store:update(function(tx)
        local rooms = tx:rooms()
        for _ = 1, 1500 do
          local user, media = "u" .. math.random(12), "m" .. math.random(60)
          local rating, time = math.random(3) == 1 and "dislike" or "like", math.random(0, 300) / 2
          local result = rooms:rate("r", user, media, rating, time)
          same(model:rate(user, media, rating, time), result)
          rated = rated + (result.rated and 1 or 0)
        end
      end)
      same(model:matches(), given.rooms:matches "r")
      same(model:matches "u3", given.rooms:matches("r", "u3"))
      same(rated, given.rooms:stats().ratings)
      same({ roomName = "r", ratings = model.ratings, userProgress = model.progress }, given.rooms:get "r")
    end)
  end)
end)
