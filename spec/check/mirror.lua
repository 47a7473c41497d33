-- mirror.lua -- the tests mirror the sources: csrc/queue.c has spec/queue_spec.lua or spec/c/test_queue.c, lua/larder/query.lua has
-- spec/query_spec.lua. A part of a noun (room_row.c) may be tested with the noun (room). Folders below spec/ do not matter.
local tree = dofile(arg[0]:gsub("[^/]*$", "tree.lua"))

-- What has no test of its own, and where it is tested.
local elsewhere = {
  ["csrc/ranking.c"] = "by sorts with limits, in find_spec",
  ["csrc/select.c"] = "select and distinct, in find_spec",
  ["lua/larder/types.lua"] = "annotations only",
  ["lua/larder/types/collection.lua"] = "annotations only",
  ["lua/larder/types/map.lua"] = "annotations only",
}

local function tests()
  local nouns = {}
  for _, path in ipairs(tree.files("%.%a+$", "spec")) do
    local noun = path:match "([%w_]+)_spec%.lua$" or path:match "/test_([%w_]+)%.c$"
    if noun then nouns[noun] = true end
  end
  return nouns
end

-- Of btree_node: btree_node, then btree. Of a test json_scan for csrc/json.c: that too.
local function tested(nouns, noun)
  for name in pairs(nouns) do
    if name == noun or name:sub(1, #noun + 1) == noun .. "_" then return true end
  end
  local shorter = noun:match "^(.*)_[^_]+$"
  return shorter ~= nil and tested(nouns, shorter)
end

local nouns = tests()
for _, folder in ipairs { "csrc", "lua" } do
  for _, path in ipairs(tree.files("%.c$", folder)) do
    if not elsewhere[path] and not tested(nouns, path:match "([%w_]+)%.c$") then
      tree.finding("%s: no spec/%s_spec.lua, no spec/c/test_%s.c", path, path:match "([%w_]+)%.c$", path:match "([%w_]+)%.c$")
    end
  end
  for _, path in ipairs(tree.files("%.lua$", folder)) do
    local noun = path:gsub("/init%.lua$", ".lua"):match "([%w_]+)%.lua$"
    if not elsewhere[path] and not tested(nouns, noun) then tree.finding("%s: no spec/%s_spec.lua", path, noun) end
  end
end
tree.finish()
