--- cache:fetch(key, producer, options): the value, made by the producer once, however many coroutines and processes ask for it.
---
--- Who gets the key's lease runs the producer; the others sleep and look again, until the value is there, or the lease is free
--- or has run out.
local core = require "larder.core"

local methods = core.cache_methods

local OP <const> = "cache:fetch"
local LEASE <const> = 30
local SHORTEST <const>, LONGEST <const> = 0.005, 0.1 -- seconds of sleep
local known = { "ttl", "type", "metadata", "extension", "lease", "stale_if_error", "path" }

local function check_options(options)
  if type(options) ~= "table" then
    core.fail(OP, ("options: expected a table, got %s"):format(type(options)))
  end
  local names = {}
  for _, name in ipairs(known) do names[name] = true end
  for name in pairs(options) do
    if not names[name] then core.unknown(OP, "option", tostring(name), table.unpack(known)) end
  end
  local lease = options.lease
  if lease ~= nil and not (math.type(lease) and lease > 0 and lease < math.huge) then
    core.fail(OP, ("option lease: expected seconds, above 0, got %s"):format(tostring(lease)))
  end
end

--- What the producer says of its value goes before what fetch was told.
local function value_options(options, said)
  if said ~= nil and type(said) ~= "table" then
    core.fail(OP, ("the producer's options: expected a table, got %s"):format(type(said)))
  end
  local merged = {}
  for _, name in ipairs { "ttl", "type", "metadata", "extension" } do merged[name] = options[name] end
  for name, value in pairs(said or {}) do merged[name] = value end
  return merged
end

--- The producer has failed: the old value, where that is wanted and there.
local function serve_stale(cache, key, options, failure)
  if options.stale_if_error then
    local data, info = core.cache_stale(cache, key, options.path)
    if data ~= nil then
      info.stale = true
      return data, info
    end
  end
  error(failure, 0)
end

--- Too large for the cache, it is still the answer.
local function keep(cache, key, data, options, said, token)
  local ok, failure = pcall(function()
    return core.cache_keep(cache, key, data, value_options(options, said), token)
  end)
  if ok then return end
  core.cache_release(cache, key, token)
  if type(failure) ~= "table" or failure.code ~= "TOOBIG" then error(failure, 0) end
end

local function produce(cache, key, producer, options, token)
  local results = table.pack(pcall(producer, key))
  if not results[1] then
    core.cache_release(cache, key, token)
    return serve_stale(cache, key, options, results[2])
  end
  local data = results[2]
  if data == nil then
    core.cache_release(cache, key, token)
    return nil
  end
  keep(cache, key, data, options, results[3], token)
  local found, info = core.cache_stale(cache, key, options.path)
  if found ~= nil then return found, info end
  return data, {}
end

function methods.fetch(cache, key, producer, options)
  if type(producer) ~= "function" then
    core.fail(OP, ("producer: expected a function, got %s"):format(type(producer)))
  end
  options = options or {}
  check_options(options)
  local sleep, pause = core.cache_sleeper(cache) or core.sleep, SHORTEST
  while true do
    local data, info = cache:get(key, { path = options.path })
    if data ~= nil then return data, info end
    local token = core.cache_lease(cache, key, options.lease or LEASE)
    if token then return produce(cache, key, producer, options, token) end
    sleep(pause)
    pause = math.min(2 * pause, LONGEST)
  end
end

return methods
