---@meta larder
--- Files, for editors. Never loaded by programs.

--- What goes wrong with files, besides INVALID, CLOSED, MISUSE, UNSUPPORTED and NOMEM. The error has `path`, and `errno` where the system
--- gave one.
---@alias larder.FileCode
---| "NOT_FOUND" # it is not there
---| "EXISTS" # it is there already, and was not to be replaced
---| "IS_A_DIRECTORY"
---| "NOT_A_DIRECTORY"
---| "NOT_EMPTY" # remove_dir without recursive
---| "INVALID_PATH" # against the rule, through a symbolic link, or to what is no regular file
---| "RANGE" # behind the end of the file
---| "PERMISSION"
---| "NO_SPACE" # the disk, the quota, the largest size of a file
---| "IO"

---@class larder.FilesOptions
---@field url? string instead of provider and path, with options behind a "?"; those of the table go before them
---@field provider? "local"
---@field path? string local: the directory; made when missing
---@field durability? "commit"|"none" "commit" (default): what was published survives a power loss; "none" leaves that to the system
---@field file_mode? string|integer local: octal digits; "600" when absent, less what the umask takes
---@field dir_mode? string|integer local: octal digits; "700" when absent
---@field confine? "kernel"|"parts" local: "parts" goes part by part, as is done anyway where the system has no openat2

--- A path: relative, parts between single "/", valid UTF-8, no control bytes, no part "." or "..", none that begins with ".larder-", a
--- part at most 255 bytes, the whole at most 1024. Another is INVALID_PATH. Where a directory is meant, "" is the root.
---@alias larder.Path string

---@class larder.FileInfo
---@field kind "file"|"directory"|"link"|"other"
---@field size integer bytes; 0 when it is no file
---@field modified_at integer ms since 1970

---@class larder.FileEntry: larder.FileInfo
---@field path larder.Path from the root on
---@field name string its last part

---@class larder.WriteOptions
---@field if_absent? boolean EXISTS rather than replacing, atomically
---@field sync? boolean false: may be lost in a power cut

---@class larder.ListOptions
---@field prefix? string what paths begin with behind the directory; it may hold "/"
---@field recursive? boolean the files at any depth; else what the directory itself holds
---@field filter? fun(entry: larder.FileEntry): any only what it returns a true value for; it may not yield
---@field after? string paths behind this one: the token of the page before
---@field limit? integer

--- A symbolic link is never followed: a path that leads through one is INVALID_PATH, delete removes the link itself, and remove_dir those
--- in the directory.
---@class larder.Files
local Files = {}

--- Missing ones above are made, too. EXISTS where a file is. (Writing makes the directories that it needs.)
---@param path larder.Path
---@return boolean made false when it was there
function Files:make_dir(path) end

---@param path larder.Path
---@return boolean
function Files:dir_exists(path) end

--- NOT_EMPTY without `recursive`, and then nothing is removed. `force` makes directories writable that forbid removing what is in them.
---@param path larder.Path
---@param options? { recursive: boolean?, force: boolean? }
---@return boolean removed false when it was not there
function Files:remove_dir(path, options) end

--- Insert or replace, at once for all who read.
---@param path larder.Path
---@param data string|larder.Reader|fun(): string? a reader is read from where it stands; a function is called until it returns nil; it may yield
---@param options? larder.WriteOptions
function Files:write(path, data, options) end

--- Raises NOT_FOUND.
---@param path larder.Path
---@return string
function Files:read(path) end

--- Fewer bytes where the file ends. RANGE when `offset` lies behind its end, or below 0.
---@param path larder.Path
---@param offset integer from 0
---@param length? integer all of the rest when absent
---@return string
function Files:read_range(path, offset, length) end

---@param path larder.Path
---@return larder.Reader
function Files:open_reader(path) end

---@param path larder.Path
---@param options? larder.WriteOptions
---@return larder.Writer
function Files:open_writer(path, options) end

--- Whether there is a regular file.
---@param path larder.Path
---@return boolean
function Files:exists(path) end

---@param path larder.Path
---@return larder.FileInfo? info nil when nothing is there
function Files:stat(path) end

---@param path larder.Path
---@return boolean deleted false when it was not there
function Files:delete(path) end

--- In byte order of paths. A missing directory is empty; what vanishes meanwhile is left out.
---@param dir? larder.Path the root when absent
---@param options? larder.ListOptions
---@return larder.FileEntry[]
---@return string? token for `after`, when there may be more than the limit
---@overload fun(self, options: larder.ListOptions): larder.FileEntry[], string?
function Files:list(dir, options) end

--- `for path, entry in files:each("uploads", { recursive = true }) do`: the same one by one, in memory that does not grow.
--- A directory that may not be read raises; the next step goes on behind it.
---@param dir? larder.Path the root when absent
---@param options? larder.ListOptions
---@return fun(): string?, larder.FileEntry?
---@overload fun(self, options: larder.ListOptions): fun(): string?, larder.FileEntry?
function Files:each(dir, options) end

---@param from larder.Path
---@param to larder.Path
---@param options? larder.WriteOptions
function Files:copy(from, to, options) end

--- A file; directories are not moved.
---@param from larder.Path
---@param to larder.Path
---@param options? larder.WriteOptions
function Files:move(from, to, options) end

--- The files at any depth that were modified before, and, at any age, what writers left that died (with `time` 0 only that). Goes on after
--- a failure.
---@param dir larder.Path
---@param time number ms since 1970
---@return integer count
---@return larder.Error[] failures each with its path
function Files:delete_older_than(dir, time) end

---@param path larder.Path
---@param algorithm? "sha256"
---@return string digest in lower-case hex
function Files:checksum(path, algorithm) end

--- Twice is fine.
function Files:close() end

--- Sees one content however long it is read.
---@class larder.Reader
local Reader = {}

---@param size? integer at most so many bytes; 65536 when absent
---@return string? bytes nil at the end
function Reader:read(size) end

--- `for chunk in reader:chunks() do`
---@param size? integer
---@return fun(): string?
function Reader:chunks(size) end

---@return integer bytes when it was opened
function Reader:size() end

---@param offset integer where the next read begins; RANGE behind the end
---@return larder.Reader self
function Reader:seek(offset) end

function Reader:close() end

--- Nothing is visible before `close`. Leaving a `<close>` variable, or collecting the writer, discards what was not closed.
---@class larder.Writer
local Writer = {}

---@param ... string
---@return larder.Writer self
function Writer:write(...) end

--- Publish. EXISTS with if_absent. Twice is fine.
function Writer:close() end

--- End without publishing.
function Writer:discard() end
