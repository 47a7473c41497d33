--- What speaks against running migrations: found by comparing the list with the history, told all at once.
local core = require "larder.core"

local problem = {}

--- Raise an error object of any length; `fields` replace its own.
function problem.raise(op, message, fields)
  local _, e = pcall(core.fail, op, "")
  e.message = message
  for name, value in pairs(fields or {}) do e[name] = value end
  error(e, 0)
end

local function day(at)
  return os.date("!%Y-%m-%d %H:%M:%S UTC", at // 1000)
end

local function add(problems, kind, version, name, ...)
  problems[#problems + 1] = { kind = kind, version = version, name = name, message = string.format(...) }
end

--- Two of one number or of one name.
local function find_twice(list, problems)
  local named, previous = {}, nil
  for _, one in ipairs(list) do
    if previous and previous.version == one.version then
      add(problems, "twice", one.version, one.name, "%s: has the number of %s", one.label, previous.label)
    elseif named[one.name] then
      add(problems, "twice", one.version, one.name, "%s: has the name of %s", one.label, named[one.name].label)
    end
    named[one.name], previous = named[one.name] or one, one
  end
end

--- The numbers of the list and of the history, each once, in order.
local function all_versions(list, rows)
  local seen, versions = {}, {}
  for _, one in ipairs(list) do seen[one.version] = true end
  for version in pairs(rows) do seen[version] = true end
  for version in pairs(seen) do versions[#versions + 1] = version end
  table.sort(versions)
  return versions
end

local function find_gaps(list, rows, problems)
  local previous, last = 0, list[#list] and list[#list].version or 0
  for _, version in ipairs(all_versions(list, rows)) do
    if version > previous + 1 and version <= last then
      local from, to = previous + 1, version - 1
      add(problems, "gap", from, nil, from == to and "migration %d: there is none" or "migrations %d to %d: there are none", from, to)
    end
    previous = version
  end
end

local function find_changed(one, row, problems)
  if row.name ~= one.name then
    add(problems, "changed", one.version, one.name, '%s: was "%s" when it was run (%s)', one.label, row.name, day(row.at))
  elseif row.checksum ~= one.checksum then
    add(problems, "changed", one.version, one.name, "%s: was changed since it was %s (%s)", one.label,
      row.state == "running" and "begun" or "run", day(row.at))
  end
end

local function find_missing(list, rows, problems)
  local known = {}
  for _, one in ipairs(list) do known[one.version] = true end
  for _, version in ipairs(all_versions({}, rows)) do
    local row = rows[version]
    if not known[version] and not row.gone then
      add(problems, "missing", version, row.name, 'migration %d "%s": was run (%s), and is gone', version, row.name, day(row.at))
    end
  end
end

--- All problems; `rows` is the history by version.
function problem.find(list, rows)
  local problems, highest = {}, 0
  for version in pairs(rows) do highest = math.max(highest, version) end
  find_twice(list, problems)
  find_gaps(list, rows, problems)
  find_missing(list, rows, problems)
  for _, one in ipairs(list) do
    local row = rows[one.version]
    if row then
      find_changed(one, row, problems)
    elseif one.version < highest then
      add(problems, "out_of_order", one.version, one.name, "%s: was not run, and %d was", one.label, highest)
    end
  end
  return problems
end

--- The option that accepts a kind; none accepts "twice".
local accepting = { gap = "gaps", out_of_order = "out_of_order", changed = "changed", missing = "missing" }

local function shown(problems)
  local lines, options = {}, {}
  for i, one in ipairs(problems) do
    local option = accepting[one.kind]
    lines[i] = "\n  " .. one.message
    if option and not options[option] then
      options[option] = true
      options[#options + 1] = option .. " = true"
    end
  end
  local hint = #options > 0 and ("\n  (to accept: %s)"):format(table.concat(options, ", ")) or ""
  return table.concat(lines) .. hint
end

--- Raise INVALID, unless every problem is accepted. Those that are, are returned. `ignored` is a set of kinds that do not matter.
function problem.refuse(op, list, rows, options, ignored)
  local accepted, refused = {}, {}
  for _, one in ipairs(problem.find(list, rows)) do
    if not ignored[one.kind] then
      local into = options[accepting[one.kind]] and accepted or refused
      into[#into + 1] = one
    end
  end
  if #refused > 0 then problem.raise(op, "nothing was run:" .. shown(refused), { problems = refused }) end
  return accepted
end

return problem
