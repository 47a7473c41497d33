---@meta larder
--- Stores that are a directory of JSON files, `file:./data`; for editors. Never loaded by programs.

---@class larder.OpenOptions
---@field backups? integer file: how many earlier contents of each file are kept; 3 when absent
---@field backup_days? integer file: how long they are kept at most, looked at when the store is opened; 7 when absent
---@field damaged? "refuse"|"skip" file: what to do when a file is damaged and has no good backup; "refuse" (to open) when absent
---@field file_mode? string file: octal; "0600" when absent
---@field folder_mode? string file: octal; "0700" when absent

---@class larder.Place
local Place = {}

--- Of a `file:` store: what a file was before, the newest first. Raises UNSUPPORTED on other engines.
---@param kind string "rooms", or the name of a collection
---@param id string|integer the name of the room, or the id of the document
---@return { n: integer, time: integer, size: integer }[] `time` is when it was written, in ms since 1970; `size` in bytes
function Place:backups(kind, id) end

--- Write what a backup says, as a `save` or `put` would; what is there becomes the newest backup. Raises INVALID (the backup is damaged), UNSUPPORTED.
---@param kind string
---@param id string|integer
---@param n? integer which; 1, the newest, when absent
---@return boolean restored false: there is no such backup
function Place:restore_backup(kind, id, n) end
