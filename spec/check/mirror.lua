-- mirror.lua -- the tests mirror the sources: csrc/queue.c has spec/queue_spec.lua or spec/c/test_queue.c, lua/larder/query.lua has
-- spec/query_spec.lua. A part of a noun (room_row.c) may be tested with the noun (room). Folders below spec/ do not matter; the command's
-- lua/larder/cli/get.lua is the part cli_get of the noun cli.
local tree = dofile(arg[0]:gsub("[^/]*$", "tree.lua"))

-- What has another name there: the file that tests it, or why nothing does.
local elsewhere = {
  ["csrc/ranking.c"] = "by sorts with limits, in find_spec",
  ["csrc/select.c"] = "select and distinct, in find_spec",
  ["csrc/walk.c"] = "spec/plan_spec.lua",
  ["csrc/input.c"] = "spec/dump_gzip_spec.lua",
  ["csrc/content.c"] = "spec/copy_spec.lua",
  ["csrc/content_point.c"] = "spec/copy_spec.lua",
  ["csrc/record_put.c"] = "spec/load_spec.lua",
  ["csrc/record_read.c"] = "spec/dump_spec.lua",
  ["csrc/unfinished.c"] = "spec/promises/copy_crash_spec.lua",
  ["lua/larder/copy/options.lua"] = "spec/copy_spec.lua",
  ["lua/larder/copy/transform.lua"] = "spec/copy_transform_spec.lua",
  ["lua/larder/types/copy.lua"] = "annotations only",
  ["csrc/crc32c.c"] = "spec/c/test_row.c",
  ["csrc/engine.c"] = "spec/engines/bare_spec.lua",
  ["csrc/option.c"] = "spec/contract/opening.lua",
  ["csrc/document_mirror_load.c"] = "spec/document_mirror_spec.lua",
  ["csrc/bind/argument.c"] = "spec/rooms_input_spec.lua",
  ["csrc/bind/decode.c"] = "spec/values_spec.lua",
  ["csrc/bind/encode.c"] = "spec/values_spec.lua",
  ["csrc/bind/error.c"] = "spec/rooms_input_spec.lua",
  ["csrc/bind/key.c"] = "spec/map_spec.lua",
  ["csrc/bind/module.c"] = "spec/larder_spec.lua",
  ["csrc/bind/terminal.c"] = "spec/cli_terminal_spec.lua",
  ["csrc/bind/termination.c"] = "spec/promises/workers_spec.lua",
  ["csrc/bind/place.c"] = "spec/txn_spec.lua",
  ["csrc/bind/program.c"] = "spec/version_spec.lua",
  ["csrc/bind/progress.c"] = "spec/backup_progress_spec.lua",
  ["csrc/folder.c"] = "spec/c/test_lmdb_make.c",
  ["csrc/apart.c"] = "spec/c/test_backup.c",
  ["csrc/stage.c"] = "spec/c/test_backup.c",
  ["csrc/restore.c"] = "spec/c/test_backup.c",
  ["csrc/engines/lmdb_reach.c"] = "spec/recover_states_spec.lua",
  ["csrc/engines/lmdb_replace.c"] = "spec/c/test_backup.c",
  ["lua/larder/backups/listing.lua"] = "spec/backups_spec.lua",
  ["lua/larder/restore.lua"] = "spec/restore_spec.lua",
  ["lua/larder/types/backup.lua"] = "annotations only",
  ["lua/larder/types.lua"] = "annotations only",
  ["lua/larder/types/cache.lua"] = "annotations only",
  ["lua/larder/types/collection.lua"] = "annotations only",
  ["lua/larder/types/listeners.lua"] = "annotations only",
  ["lua/larder/types/directory.lua"] = "annotations only",
  ["lua/larder/types/files.lua"] = "annotations only",
  ["lua/larder/types/map.lua"] = "annotations only",
  ["lua/larder/types/migrate.lua"] = "annotations only",
  ["lua/larder/migrate/bytecode.lua"] = "spec/migrate_source_spec.lua",
  ["lua/larder/migrate/check.lua"] = "spec/migrate_refused_spec.lua",
  ["lua/larder/migrate/history.lua"] = "spec/migrate_spec.lua",
  ["lua/larder/migrate/jobs.lua"] = "spec/migrate_jobs_spec.lua",
  ["lua/larder/migrate/kind.lua"] = "spec/migrate_dry_spec.lua",
  ["lua/larder/migrate/plan.lua"] = "spec/migrate_down_spec.lua",
  ["lua/larder/migrate/problem.lua"] = "spec/migrate_refused_spec.lua",
  ["lua/larder/migrate/record.lua"] = "spec/migrate_dry_spec.lua",
  ["lua/larder/migrate/rule.lua"] = "spec/migrate_dry_spec.lua",
  ["lua/larder/migrate/run.lua"] = "spec/migrate_spec.lua",
  ["lua/larder/migrate/same.lua"] = "spec/migrate_batch_spec.lua",
  ["lua/larder/migrate/source.lua"] = "spec/migrate_source_spec.lua",
  ["lua/larder/migrate/step.lua"] = "spec/migrate_spec.lua",
  ["lua/larder/types/verify.lua"] = "annotations only",
  ["lua/larder/types/queue.lua"] = "annotations only",
  ["lua/larder/types/worker.lua"] = "annotations only",
  ["lua/larder/hold.lua"] = "spec/worker_spec.lua",
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

local function check(path)
  local where = elsewhere[path]
  if where and (not where:find "^spec/" or tree.has(where)) then return end
  local noun = path:gsub("/init%.lua$", ".lua"):gsub("/cli/", "/cli_"):match "([%w_]+)%.%w+$"
  if where then return tree.finding("%s: its tests, %s, are not there", path, where) end
  if not tested(nouns, noun) then tree.finding("%s: no spec/%s_spec.lua, no spec/c/test_%s.c", path, noun, noun) end
end

for _, path in ipairs(tree.files("%.c$", "csrc")) do check(path) end
for _, path in ipairs(tree.files("%.lua$", "lua")) do check(path) end
tree.finish()
