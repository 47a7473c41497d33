-- report.lua -- the table: a line a row, as soon as it is measured.
local measure = require "spec.bench.measure"

local report = {}

local COLUMNS = { "larder", "raw", "minimal", "sqlite" }
local OTHERS = { "raw", "minimal", "sqlite" }

local function pad(text, width)
  local spaces = (" "):rep(width - utf8.len(text))
  return width > 30 and text .. spaces or spaces .. text
end

-- Three digits that count: 1.23 µs, 45.6 ms.
local function three(value, units, step)
  local unit = 1
  while value >= 999.5 and units[unit + 1] do
    value, unit = value / step, unit + 1
  end
  local digits = value >= 99.95 and 0 or value >= 9.995 and 1 or 2
  return ("%." .. digits .. "f%s"):format(value, units[unit])
end

local function seconds(value)
  return three(value * 1e9, { " ns", " µs", " ms", " s" }, 1000)
end

local function mebibytes(bytes)
  return ("%.1f MiB"):format(bytes / (1 << 20))
end

local function ratio(value)
  return value < 0.005 and "<0.01" or three(value, { "" }, 1000)
end

local function line(title, cells, ratios, verdict)
  local parts = { pad(title, 43) }
  for _, column in ipairs(COLUMNS) do
    parts[#parts + 1] = pad(cells[column] or "-", 9)
  end
  parts[#parts + 1] = " "
  for _, column in ipairs(OTHERS) do
    parts[#parts + 1] = pad(ratios[column] or "-", 8)
  end
  print(((table.concat(parts, " ") .. "   " .. (verdict or "")):gsub("%s+$", "")))
  io.stdout:flush()
end

function report.head()
  line("", { larder = "larder", raw = "raw", minimal = "minimal", sqlite = "sqlite" },
    { raw = "/raw", minimal = "/minimal", sqlite = "/sqlite" }, "target")
end

local missed, unknown = 0, 0

local function verdict(value, text, limit)
  local met = value <= limit
  missed = missed + (met and 0 or 1)
  return ("%s ≤ %s: %s"):format(text, ratio(limit), met and "met" or "MISSED")
end

--- Print a row. `times[side]` are its seconds, round by round.
---@param row table
---@param times table<string, number[]>
function report.row(row, times)
  local cells, ratios = {}, {}
  for side, rounds in pairs(times) do
    cells[side] = seconds(measure.median(rounds))
    ratios[side] = ratio(measure.ratio(times.larder, rounds))
  end
  local target = row.target and row.target.side
  local said = target and times[target]
    and verdict(measure.ratio(times.larder, times[target]), "/" .. target, row.target.limit)
  unknown = unknown + (target and not said and 1 or 0)
  line(row.title, cells, ratios, said)
end

--- Print how a row compares with another of the same group, side by side.
---@param row table
---@param times table<string, number[]>
---@param others table<string, number[]>
function report.growth(row, times, others)
  local cells = {}
  for side, rounds in pairs(times) do
    cells[side] = ratio(measure.ratio(rounds, others[side])) .. " x"
  end
  local grown = measure.ratio(times.larder, others.larder)
  line("  compared with the first", cells, {}, verdict(grown, "larder", row.target.limit))
end

--- Print memory. `memory.bytes[side]` = { after a tenth, after all }; `memory.limit` is for what it has grown by, all the way or,
--- `memory.behind_tenth`, since a tenth of it.
---@param memory table
function report.memory(memory)
  local cells = {}
  for side, bytes in pairs(memory.bytes) do
    cells[side] = mebibytes(bytes[2])
  end
  local bytes = memory.bytes.larder
  local text = memory.behind_tenth and "growth behind 10,000, MiB" or "growth, MiB"
  local grown = bytes and bytes[2] - (memory.behind_tenth and bytes[1] or 0)
  local said = bytes and verdict(grown / (1 << 20), text, memory.limit / (1 << 20))
  line(memory.title, cells, {}, said)
end

local function summary()
  local left_out = unknown > 0 and (" %d not measured."):format(unknown) or ""
  return (missed > 0 and missed .. " MISSED." or "All targets met that were measured.") .. left_out
end

function report.foot()
  print(("\nraw: liblmdb in C, the same rows; minimal: a minimal C binding and lua-cjson; sqlite: lua-sql-sqlite3 and lua-cjson.\n"
    .. "Medians of %d rounds, measured in turn; durable rows and backups in real time, the others in processor time. %s"):format(
    measure.rounds, summary()))
end

return report
