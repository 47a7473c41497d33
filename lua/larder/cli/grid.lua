--- Tables for people: columns aligned, on a terminal cut to its width, so that a row is a line.
---
--- The widths are those of the first rows; what comes later is cut to them on a terminal, and written whole in a pipe.
local json = require "larder.cli.json"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local SAMPLE, GAP, LEAST = 200, 2, 6

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

--- Make the widest narrower until all fit.
local function squeeze(widths, columns)
  local total = GAP * (#widths - 1)
  for _, width in ipairs(widths) do total = total + width end
  while total > columns do
    local widest = 1
    for i, width in ipairs(widths) do
      if width > widths[widest] then widest = i end
    end
    if widths[widest] <= LEAST then return end
    widths[widest] = widths[widest] - 1
    total = total - 1
  end
end

local function measure(self)
  local widths = {}
  for i, name in ipairs(self.names) do widths[i] = text.width(name) end
  for _, cells in ipairs(self.waiting) do
    for i, cell in ipairs(cells) do widths[i] = math.max(widths[i], text.width(cell)) end
  end
  if self.columns then squeeze(widths, self.columns) end
  self.widths = widths
end

local function line_of(self, cells)
  local parts = {}
  for i, cell in ipairs(cells) do
    if self.columns then cell = text.cut(cell, self.widths[i]) end
    local last = i == #cells and not self.right[i]
    parts[i] = last and cell or text.fill(cell, self.widths[i], self.right[i])
  end
  local line = table.concat(parts, (" "):rep(GAP)):gsub("%s+$", "")
  return self.columns and text.cut(line, self.columns) or line
end

local function flush(self)
  if self.widths then return end
  measure(self)
  terminal.print(terminal.bold(line_of(self, self.heads)))
  for _, cells in ipairs(self.waiting) do terminal.print(line_of(self, cells)) end
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
  if self.widths then return terminal.print(line_of(self, cells)) end
  self.waiting[#self.waiting + 1] = cells
  if #self.waiting == SAMPLE then flush(self) end
end

--- Print what is still waiting.
function grid_methods:finish()
  flush(self)
end

--- Columns of numbers are on the right.
---@param names string[]
---@return table
local function new(names)
  local heads, right = {}, {}
  for i, name in ipairs(names) do
    heads[i], right[i] = text.plain(name), true
  end
  return setmetatable({ names = names, heads = heads, right = right, waiting = {}, columns = terminal.columns() }, grid_mt)
end

--- All rows at once.
---@param names string[]
---@param rows table[]
local function print_all(names, rows)
  local grid = new(names)
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
