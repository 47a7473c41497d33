--- Larder: the storage that a Lua server embeds.
---
---     local larder = require "larder"
---     local store <close> = larder.open "lmdb:./data"
---     store:rooms():save{ roomName = "movie night" }
---
--- Every failure is raised as an error object (see larder.Error in types.lua); what is absent is nil.
local core = require "larder.core"
local backups = require "larder.backups"
local config = require "larder.config"
local copy = require "larder.copy"
local dump = require "larder.dump"
local migrate = require "larder.migrate"
local files = require "larder.files"
local query = require "larder.query"
local recover = require "larder.recover"
local restore = require "larder.restore"
require "larder.cache"
require "larder.fluent"
require "larder.upgrade"
require "larder.worker"

---@class larder
local larder = {
  --- The version of the library, "MAJOR.MINOR.PATCH".
  version = core.version,
  --- What a stored null comes back as; the same as cjson's null. A nil field is absent instead.
  null = core.null,
  --- As the value of a field in a patch: delete the field.
  remove = core.remove,
  --- Helpers for filters: `{ age = q.gte(18) & q.lt(65) }`.
  ---@type larder.Conditions
  q = query,
}

--- Mark a table as an array, so that an empty one is stored as `[]` and not as a map.
---@generic T: table
---@param t? T a table whose keys are 1..n; a new one when absent
---@return T t the same table
function larder.array(t)
  return core.array(t)
end

--- Open a store from a URL ("memory:", "lmdb:./data?durability=none") or options.
--- Missing folders are created. Raises INVALID (unknown engine or option), CORRUPT, IO, FULL, UNSUPPORTED.
---@param where string|larder.OpenOptions
---@return larder.Store
function larder.open(where)
  return core.open(config.resolve(where, os.getenv))
end

--- Copy a store into another: see larder.CopyOptions. Raises EXISTS (the target is not empty), CORRUPT (what was copied differs, or the
--- source is damaged), INVALID; the source is only read.
---@param from larder.Store|larder.Tx|string|larder.OpenOptions
---@param to larder.Store|string|larder.OpenOptions
---@param options? larder.CopyOptions
---@return larder.CopyReport
function larder.copy(from, to, options)
  return copy(from, to, options)
end

--- Put a dump into a store, all or nothing, or in batches into an empty one. Raises INVALID and UNSUPPORTED with the line, EXISTS.
---@param path string
---@param to larder.Store|larder.Tx|string|larder.OpenOptions
---@param options? larder.LoadOptions
---@return larder.RecordCounts
function larder.load(path, to, options)
  return dump.load(path, to, options)
end

--- Open the store that the environment names: LARDER_URL, or STORAGE_TYPE ("memory", "lmdb", "file") with STORAGE_PATH; a memory store
--- when neither is set. LOG_LEVEL ("error", "warn", "info", "debug") turns on a log on standard error.
---@param options? larder.OpenOptions more options; they win over the environment
---@return larder.Store
function larder.from_env(options)
  return core.open(config.from_env(options, os.getenv))
end

--- Migrations of this store, from a directory of files (`0001_add_owner.lua`) or a list. Nothing is run yet.
--- Raises INVALID naming the file and what is wrong with it.
---@param store larder.Store
---@param from string|larder.Migration[]
---@param options? larder.MigrationOptions for all calls
---@return larder.Migrations
function larder.migrations(store, from, options)
  return migrate.new(store, from, options)
end

--- A folder of backups. With `keep` and `days` a backup goes when it is neither among the `keep` newest nor younger than `days`;
--- without both none goes. The last good one never goes. Raises INVALID.
---@param folder string made by the first `take`
---@param options? { keep: integer?, days: number? }
---@return larder.Backups
function larder.backups(folder, options)
  return backups(folder, options)
end

--- Put a backup in the place of an LMDB store, which nobody may have open. It is verified first, beside the store's data, and takes
--- their place in one step; what was there is kept in `<to>.quarantine/<time>`.
--- Raises INVALID (no backup), CORRUPT, UNSUPPORTED (of a newer version), MISUSE
--- (open in this process), BUSY (open in another one), FULL, IO; then nothing has changed.
---@param path string of the backup
---@param to string the folder of the store; made when missing; "lmdb:./data" too
---@param options? larder.BackupOptions
---@return larder.Restored
function larder.restore(path, to, options)
  return restore(path, to, options, "larder.restore")
end

--- Save what can still be read of a damaged LMDB store into a new one. The damaged one is read only; nothing may have it open.
--- Rows are taken wherever they are found undamaged, in their newest state; indexes and counts are made anew.
--- Then the new store is verified. Where the newest commit is damaged, what had been deleted may come back.
--- A run that was broken off goes on when it is run again with the same paths.
--- Raises INVALID (`to` is not empty, `path` is no file), UNSUPPORTED (of a newer version), IO, FULL.
---@param path string the folder of the damaged store, or its data.mdb; "lmdb:./data" too
---@param to string|larder.OpenOptions a store that is empty or not there yet, as for larder.open; a plain path is a folder of LMDB
---@param options? { progress: fun(done: integer, total: integer) } may not use the stores
---@return larder.RecoverReport
function larder.recover(path, to, options)
  return recover(path, to, options)
end

--- Open a place for files: a directory of this machine ("./uploads", "local:/srv/uploads?durability=none"), made when missing.
--- Nothing outside of it is ever read, written or removed. Raises INVALID (unknown provider or option), PERMISSION, NOT_A_DIRECTORY, IO.
---@param where string|larder.FilesOptions
---@param options? larder.FilesOptions more of them
---@return larder.Files
function larder.files(where, options)
  return core.files(files.resolve(where, options))
end

return larder
