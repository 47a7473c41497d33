--- A room as plain tables: what MovieMatch does, in the fewest words. Specs compare the store with it.
local model_room = {}
local methods = {}
local mt = { __index = methods }

function model_room.new()
  return setmetatable({ ratings = {}, progress = {} }, mt)
end

local function match_of(media, list, by)
  local match, by_liked = { mediaId = media, users = {} }, by == nil
  for _, vote in ipairs(list) do
    if vote[2] == "like" then
      table.insert(match.users, vote[1])
      by_liked = by_liked or vote[1] == by
      if not match.matchedAt or vote[3] > match.matchedAt then match.matchedAt = vote[3] end
    end
  end
  return #match.users >= 2 and by_liked and match or nil
end

function methods:rate(user, media, rating, time)
  local list = self.ratings[media] or {}
  for _, vote in ipairs(list) do
    if vote[1] == user then return { rated = false, progress = self.progress[user] } end
  end
  self.ratings[media] = list
  table.insert(list, { user, rating, time })
  self.progress[user] = (self.progress[user] or 0) + 1
  return { rated = true, progress = self.progress[user], match = rating == "like" and match_of(media, list) or nil }
end

function methods:matches(user)
  local all = {}
  for media, list in pairs(self.ratings) do
    table.insert(all, match_of(media, list, user))
  end
  table.sort(all, function(a, b)
    if a.matchedAt ~= b.matchedAt then return a.matchedAt < b.matchedAt end
    return a.mediaId < b.mediaId
  end)
  return all
end

return model_room
