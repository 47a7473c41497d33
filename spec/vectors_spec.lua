-- The test vectors of csrc/README.md, read from its tables.
local port = require "larder_port"

local names = { null = io.stdout, nan = 0 / 0, inf = math.huge, math = math } -- any userdata stands for null

local function evaluate(text)
  return assert(load("return " .. text, text, "t", setmetatable({}, { __index = names })))()
end

local function values(text)
  return table.pack(assert(load("return " .. text, text, "t", names))())
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function bytes(digits)
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- The rows of the table below `heading` that have so many cells in backquotes.
local function rows_of(heading, cells)
  local file <close> = assert(io.open "csrc/README.md")
  local section = file:read("a"):match("\n## " .. heading .. "\n(.-)\n## ")
  local rows = {}
  for line in section:gmatch "[^\n]+" do
    local row = {}
    for cell in line:gmatch "| `(.-)` %f[|]" do row[#row + 1] = cell end
    if #row == cells then rows[#rows + 1] = row end
  end
  return rows
end

-- A cell of hex digits, or an expression that makes them.
local function digits(cell)
  return cell:find '^"' and evaluate(cell) or cell
end

describe("the vectors of keys", function()
  it("are there", function() assert.is_true(#rows_of("Keys", 2) > 40) end)

  for _, row in ipairs(rows_of("Keys", 2)) do
    local tuple, expected = row[1], row[2]
    if #tuple > 0 and not tuple:match "^%x%x$" and not tuple:match "^%x%x`" then
      it(tuple .. " hold", function()
        local parts = values(tuple)
        assert.are.equal(expected, hex(port.tuple(table.unpack(parts, 1, parts.n))))
      end)
    end
  end
end)

describe("the vectors of rows", function()
  it("are there", function() assert.is_true(#rows_of("Rows", 5) >= 6) end)

  for _, row in ipairs(rows_of("Rows", 5)) do
    it(row[1] .. ", revision " .. row[2] .. " hold", function()
      local parts = values(row[1])
      local key = string.char(parts[1]) .. port.tuple(table.unpack(parts, 2, parts.n))
      assert.are.equal(digits(row[5]), hex(port.row(key, evaluate(row[2]), bytes(row[3]))))
    end)
  end
end)
