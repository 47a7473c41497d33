-- cover.lua -- a table of the lines of C that the tests ran, from gcov. Takes the folder with the notes (.gcno) of csrc.
local notes = assert(arg[1], "cover.lua <folder>")

local function measure(note)
  local out <close> = assert(io.popen(("gcov -n -o '%s' '%s' 2>/dev/null"):format(note:match "(.*)/", note)))
  local file
  for line in out:lines() do
    file = line:match "^File '(.*)'" or file
    local percent, count = line:match "^Lines executed:([%d.]+)%% of (%d+)"
    if percent and file:find "%.c$" then return file, tonumber(count), math.floor(percent * count / 100 + 0.5) end
  end
end

local function row(name, lines, ran)
  print(("%-36s %6d %6d %6.1f %%"):format(name, lines, ran, 100 * ran / math.max(lines, 1)))
end

local files = {}
for note in assert(io.popen(("find '%s' -name '*.gcno'"):format(notes))):lines() do
  local file, lines, ran = measure(note)
  if file then files[#files + 1] = { name = file, lines = lines, ran = ran } end
end
table.sort(files, function(a, b) return a.name < b.name end)
local lines, ran = 0, 0
print(("%-36s %6s %6s %8s"):format("file", "lines", "ran", "share"))
for _, file in ipairs(files) do
  row(file.name, file.lines, file.ran)
  lines, ran = lines + file.lines, ran + file.ran
end
row("all", lines, ran)
