---@meta larder
--- Backups, for editors. Never loaded by programs.

--- What `backup.json` in a backup says of it.
---@class larder.BackupLabel
---@field larder "backup"
---@field format integer
---@field at integer when it was made, ms since 1970, by the store's clock
---@field made_by string the version of larder
---@field engine string what it was made from; a backup itself is always a store of the LMDB engine
---@field bytes integer of its data.mdb
---@field rows integer
---@field rooms integer
---@field documents integer
---@field keys integer of maps
---@field hash string of all rows: equal for backups that hold the same

--- `progress` hears how far it is, ten times a second (for each MiB that is copied by a restoration), and at the end: rows, each as often as it is gone through, so `total` is a
--- multiple of what the store has. It may not use the store. What it raises ends the work, as a failure does, and is raised: nothing has changed then.
---@class larder.BackupOptions
---@field progress? fun(done: integer, total: integer)

---@class larder.Store
local Store = {}

--- Write what is committed now into the new folder `path`, while others go on writing: packed, synced, verified by another process before it gets its name.
--- It is a store: `larder.open("lmdb:" .. path .. "?read_only=true")` looks into it. Raises EXISTS (something is at `path`), CORRUPT (the store is damaged;
--- verify says where), FULL, IO; then nothing is left of it.
---@param path string made with its parents
---@param options? larder.BackupOptions
---@return larder.BackupLabel
function Store:backup(path, options) end

---@class larder.Backups
local backups = {}

--- One of the folder. What has no readable label has `problem`, and none of the fields that come from it; it is not counted and never goes by itself.
---@class larder.Backup: larder.BackupLabel
---@field name string "2026-11-21T08-03-28Z-000007"
---@field number integer its last part, which grows with each
---@field path string
---@field ok boolean that the label is readable and the file has its size; `verify` looks at all
---@field problem? larder.Error
---@field identical? boolean of take: an older one held the same rows; it is in `dropped`
---@field dropped? string[] of take: those that have gone

--- Back the store up into the folder, then rotate. One with the same rows as an older one takes that one's place, so that it pushes nobody out.
--- Raises as store:backup, and BUSY when somebody else is at work in the folder; then nothing has changed.
---@param store larder.Store
---@param options? larder.BackupOptions
---@return larder.Backup
function backups:take(store, options) end

--- All, the newest first.
---@return larder.Backup[]
function backups:list() end

--- Let go what is neither among the `keep` newest nor younger than `days`; a good one stays always. `take` does it.
---@param now? integer ms since 1970
---@return string[] dropped the names
function backups:rotate(now) end

--- Read all of one, in another process: `ok`, and `problem` where it is not. Raises INVALID: there is none of that name.
---@param name string or "latest"
---@param options? larder.BackupOptions
---@return larder.Backup
function backups:verify(name, options) end

--- As larder.restore.
---@param name string or "latest"
---@param to string
---@param options? larder.BackupOptions
---@return larder.Restored
function backups:restore(name, to, options) end

---@class larder.Restored: larder.BackupLabel
---@field quarantine? string the folder of what was there before
---@field name? string of backups:restore
