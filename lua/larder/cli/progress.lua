--- A bar on standard error with how much is done, how fast, and for how long still; nothing where standard error is no terminal.
local core = require "larder.core"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local EVERY = 0.1

local bar_methods = {}
local bar_mt = { __name = "larder.bar", __index = bar_methods }

function bar_mt:__close()
  self:finish()
end

local function counts(done, total, seconds)
  local rate = seconds > 0 and done / seconds or 0
  if not total or total <= 0 then return (" %s  %s/s"):format(text.count(done), text.count(rate // 1 | 0)) end
  local left = rate > 0 and text.duration(math.max(0, total - done) / rate) .. " left" or ""
  return (" %3d%%  %s/%s  %s/s  %s"):format(math.min(100, done * 100 // total), text.count(done), text.count(total),
    text.count(rate // 1 | 0), left)
end

--- "copy [####----]  45%  12,345/27,000  3,210/s  5 s left", within the columns
local function line(self, done, total, seconds)
  local behind = counts(done, total, seconds)
  local room = self.columns - 1 - text.width(self.what) - text.width(behind) - 3
  if not total or total <= 0 or room < 5 then return text.cut(self.what .. behind, self.columns - 1) end
  room = math.min(room, 40)
  local full = math.floor(room * math.min(1, done / total))
  return ("%s [%s%s]%s"):format(self.what, ("#"):rep(full), ("-"):rep(room - full), behind)
end

--- What the library's `progress` options are given.
---@param done integer
---@param total? integer
function bar_methods:show(done, total)
  local now = core.queue.monotonic()
  if not self.columns or (now < self.next and done ~= total) then return end
  self.next, self.shown = now + EVERY, true
  io.stderr:write("\r", line(self, done, total, now - self.start), "\27[K")
  io.stderr:flush()
end

--- The line is empty again.
function bar_methods:finish()
  if self.shown then io.stderr:write "\r\27[K" end
  self.shown, self.columns = false, nil
end

---@param what string
---@param quiet? boolean
---@return table bar `local bar <close> = progress("copy")`, and `bar.call` where a function is wanted
return function(what, quiet)
  local now = core.queue.monotonic()
  local bar = setmetatable({ what = what, start = now, next = now }, bar_mt)
  bar.columns = not quiet and terminal.error_columns() or nil
  function bar.call(done, total) bar:show(done, total) end
  return bar
end
