--- Tables for people: columns aligned, on a terminal cut to its width, so that a row is a line; where the terminal is too narrow
--- for that, each row is a block with a line a column. Numbers, and what is needed whole to name something, are never cut.
---
--- The widths are those of the first rows; what comes later is cut to them on a terminal, and written whole in a pipe.
local json = require "larder.cli.json"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local SAMPLE, GAP, LEAST = 200, 2, 10

local grid_methods = {}
local grid_mt = { __name = "larder.grid", __index = grid_methods }

--- A value in a cell: texts as they are, the rest as JSON; what is absent is empty.
local function shown(value)
  if value == nil then return "" end
  if type(value) == "string" then return text.plain(value) end
  if math.type(value) == "integer" then return tostring(value) end
  if math.type(value) == "float" then return ("%.14g"):format(value) end
  return text.plain(json.text(value))
end

--- Whether a column may be cut: texts, but not ids and the like.
local function may_cut(self, i)
  return not self.right[i] and not self.whole[self.names[i]]
end

--- Make the widest narrower until all fit. False: they do not.
local function squeeze(self, widths)
  local total = GAP * (#widths - 1)
  for _, width in ipairs(widths) do total = total + width end
  while total > self.columns do
    local widest
    for i, width in ipairs(widths) do
      if may_cut(self, i) and width > LEAST and (not widest or width > widths[widest]) then widest = i end
    end
    if not widest then return false end
    widths[widest] = widths[widest] - 1
    total = total - 1
  end
  return true
end

--- Columns that may be absent are, where no row has anything in them.
local function drop_empty(self)
  local used, order = {}, {}
  for _, cells in ipairs(self.waiting) do
    for i, cell in ipairs(cells) do used[i] = used[i] or cell ~= "" end
  end
  for i, name in ipairs(self.names) do
    if used[i] or not self.optional[name] then order[#order + 1] = i end
  end
  self.order = order
end

local function measure(self)
  local widths = {}
  for at, i in ipairs(self.order) do
    widths[at] = text.width(self.heads[i])
    for _, cells in ipairs(self.waiting) do widths[at] = math.max(widths[at], text.width(cells[i])) end
  end
  return widths
end

local function line_of(self, cells)
  local parts = {}
  for at, i in ipairs(self.order) do
    local cell, right = cells[i], self.right[i]
    if self.columns and may_cut(self, i) then cell = text.cut(cell, self.widths[at]) end
    parts[at] = at == #self.order and not right and cell or text.fill(cell, self.widths[at], right)
  end
  return (table.concat(parts, (" "):rep(GAP)):gsub("%s+$", ""))
end

local function print_line(self, cells)
  terminal.print(line_of(self, cells))
end

--- "name   2026-11-21T08-03-28Z-000007", for each column that has something in it; a blank line in front of all blocks but the first.
local function print_block(self, cells)
  if self.printed then terminal.print "" end
  self.printed = true
  for _, i in ipairs(self.order) do
    if cells[i] ~= "" then
      local room = math.max(LEAST, self.columns - self.head_width - GAP)
      local cell = self.whole[self.names[i]] and cells[i] or text.cut(cells[i], room)
      terminal.print(terminal.bold(text.fill(self.heads[i], self.head_width)) .. (" "):rep(GAP) .. cell)
    end
  end
end

local function choose_layout(self)
  local widths = measure(self)
  if self.columns and not squeeze(self, widths) then
    self.head_width, self.print = 0, print_block
    for _, i in ipairs(self.order) do self.head_width = math.max(self.head_width, text.width(self.heads[i])) end
    return
  end
  self.widths, self.print = widths, print_line
  terminal.print(terminal.bold(line_of(self, self.heads)))
end

local function flush(self, all)
  if self.print or #self.waiting == 0 then return end
  if all then drop_empty(self) end
  choose_layout(self)
  for _, cells in ipairs(self.waiting) do self:print(cells) end
  self.waiting = {}
end

--- A row: a value for each column.
---@param row table by the columns' names
function grid_methods:add(row)
  local cells = {}
  for i, name in ipairs(self.names) do
    cells[i] = shown(row[name])
    if row[name] ~= nil and type(row[name]) ~= "number" then self.right[i] = false end
  end
  if self.print then return self:print(cells) end
  self.waiting[#self.waiting + 1] = cells
  if #self.waiting == SAMPLE then flush(self, false) end
end

--- Print what is still waiting; of no rows, nothing.
function grid_methods:finish()
  flush(self, true)
end

local function set_of(names)
  local set = {}
  for _, name in ipairs(names or {}) do set[name] = true end
  return set
end

--- Columns of numbers are on the right.
---@param names string[]
---@param options? { whole: string[]?, optional: string[]? } names of columns that are never cut; that are left out where they are empty
---@return table
local function new(names, options)
  local heads, right, order = {}, {}, {}
  for i, name in ipairs(names) do
    heads[i], right[i], order[i] = text.plain(name), true, i
  end
  return setmetatable({ names = names, heads = heads, right = right, order = order, waiting = {}, columns = terminal.columns(),
    whole = set_of(options and options.whole), optional = set_of(options and options.optional) }, grid_mt)
end

--- All rows at once.
---@param names string[]
---@param rows table[]
---@param options? table as of `new`
local function print_all(names, rows, options)
  local grid = new(names, options)
  for _, row in ipairs(rows) do grid:add(row) end
  grid:finish()
end

--- Names and values, a line each.
---@param pairs_ { [1]: string, [2]: any }[]
local function print_pairs(pairs_)
  local width = 0
  for _, pair in ipairs(pairs_) do width = math.max(width, text.width(pair[1])) end
  for _, pair in ipairs(pairs_) do
    terminal.print(terminal.bold(text.fill(pair[1], width)) .. "  " .. shown(pair[2]))
  end
end

return { new = new, print = print_all, pairs = print_pairs, shown = shown }
