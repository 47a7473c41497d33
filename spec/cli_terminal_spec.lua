-- The command at a terminal, which tmux plays: tables cut to its width, questions, the progress bar, the shell, Ctrl-C.
local cli = require "cli"
local larder = require "larder"

if not cli.has_terminal then
  return describe("larder at a terminal", function() it("is tested", function() pending "tmux is not here" end) end)
end

describe("larder at a terminal", function()
  local user

  before_each(function()
    user = cli.new()
    user:must [[larder put --create lmdb:./data plans '{"id": 7, "title": "日本 paint the attic and all the other rooms", "cost": 40}' '{"id": 8}']]
  end)
  after_each(function() user:remove() end)

  -- The exit code of what was typed last.
  local function code_of(terminal)
    terminal:enter "echo code $?."
    return tonumber(terminal:sees("code (%d+)%.", true):match ".*code (%d+)%.")
  end

  it("cuts tables to the width, by columns on the screen", function()
    local terminal <close> = user:terminal(30)
    terminal:enter "larder find lmdb:./data plans"
    local screen = terminal:sees "…"
    assert.truthy(screen:find("\nid  cost  title\n", 1, true), screen)
    assert.truthy(screen:find("\n 7    40  日本 paint the attic…\n", 1, true) or screen:find("\n 7    40  日本 paint the atti…\n", 1, true), screen)
  end)

  it("prints heads in bold, and not with NO_COLOR", function()
    local terminal <close> = user:terminal()
    terminal:enter "script -qec 'larder find lmdb:./data plans' /dev/null >out </dev/null; NO_COLOR=1 script -qec 'larder find lmdb:./data plans' /dev/null >plain </dev/null; echo done."
    terminal:sees "\ndone."
    assert.truthy(user:must("cat out"):find("\27[1m", 1, true))
    assert.is_nil(user:must("cat plain"):find("\27", 1, true))
    assert.truthy(user:must("cat plain"):find "attic")
  end)

  it("asks before it destroys, and takes all but yes for no", function()
    local terminal <close> = user:terminal()
    terminal:enter "larder delete lmdb:./data plans --all"
    terminal:sees "delete 2 documents of plans? [y/N]"
    terminal:press "Enter"
    terminal:sees "nothing was changed"
    assert.are.equal(1, code_of(terminal))
    terminal:enter "clear; larder delete lmdb:./data plans 8"
    terminal:sees "delete 1 documents of plans? [y/N]"
    terminal:enter "y"
    terminal:sees "plans: 1 documents deleted"
    terminal:enter "clear"
    assert.are.equal(0, code_of(terminal))
    assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  it("leaves all as it was when Ctrl-C answers the question", function()
    local terminal <close> = user:terminal()
    terminal:enter "larder delete lmdb:./data plans --all"
    terminal:sees "[y/N]"
    terminal:press "C-c"
    terminal:sees "interrupted"
    assert.are.equal(130, code_of(terminal))
    assert.are.equal("2\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  describe("while it works", function()
    -- A batch of one document, and a rest: as many steps as there are documents.
    before_each(function()
      local store <close> = larder.open("lmdb:" .. user:path "data?durability=none")
      store:update(function(tx)
        for i = 1, 400 do tx:collection("many"):put { id = i } end
      end)
      user:must [[mkdir migrations; cat >migrations/0001_mark.lua <<'E'
return { collection = "many", size = 1, pause_ms = 20, batch = function(document) document.marked = true end }
E]]
    end)

    it("shows a bar with rate and remaining time, and takes it away", function()
      local terminal <close> = user:terminal(80)
      terminal:enter "larder migrate up lmdb:./data ./migrations"
      terminal:sees("migrate %[#+%-+%] +%d+%%  %d+/400  %d+/s  %S+ s left", true)
      terminal:sees "up 0001 mark"
      assert.is_nil(terminal:screen():find("[#", 1, true))
    end)

    it("fits a narrow terminal", function()
      local terminal <close> = user:terminal(34)
      terminal:enter "larder migrate up lmdb:./data migrations"
      local screen = terminal:sees("migrate +%d+%%  %d+/400", true)
      assert.are.equal(1, select(2, screen:gsub("migrate +%d+%%", "")))
      terminal:press "C-c"
      terminal:sees "interrupted"
    end)

    it("ends with 130 at Ctrl-C; what was committed stays, and the next run goes on", function()
      local terminal <close> = user:terminal(80)
      terminal:enter "larder migrate up lmdb:./data ./migrations"
      terminal:sees("%d%d/400", true)
      terminal:press "C-c"
      terminal:sees "interrupted"
      assert.are.equal(130, code_of(terminal))
      local done = tonumber((user:must [[larder find lmdb:./data many '{"marked": true}' --count]]))
      assert.is_true(done > 0 and done < 400, done)
      user:must "sed -i s/20/0/ migrations/0001_mark.lua && larder verify lmdb:./data"
      user:must "larder migrate up --changed lmdb:./data ./migrations || larder migrate up --changed --restart lmdb:./data ./migrations"
      assert.are.equal("400\n", (user:must [[larder find lmdb:./data many '{"marked": true}' --count]]))
    end)
  end)

  it("rolls back a transaction that Ctrl-C meets", function()
    local terminal <close> = user:terminal()
    terminal:enter [[larder shell lmdb:./data -e 'store:update(function(tx) tx:collection("plans"):put{ id = 99 } print "begun" while true do end end)']]
    terminal:sees "\nbegun"
    terminal:press "C-c"
    terminal:sees "interrupted"
    assert.are.equal(130, code_of(terminal))
    assert.are.equal("2\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  it("ends with 143 at SIGTERM, likewise", function()
    local terminal <close> = user:terminal()
    terminal:enter [[larder shell lmdb:./data -e 'store:update(function(tx) tx:collection("plans"):put{ id = 99 } print(6 * 7000) while true do end end)' & PID=$!]]
    terminal:sees "42000"
    terminal:enter "kill -TERM $(pgrep -P $PID || echo $PID); wait $PID; echo code $?."
    terminal:sees "code 143."
    assert.are.equal("2\n", (user:must "larder find lmdb:./data plans --count"))
  end)
end)

describe("larder shell", function()
  local user, terminal

  before_each(function()
    user = cli.new()
    user:must [[larder put --create lmdb:./data plans '{"id": 7, "title": "paint the attic"}']]
    terminal = user:terminal(80)
    terminal:enter "larder shell lmdb:./data"
    terminal:sees "larder>"
  end)
  after_each(function()
    getmetatable(terminal).__close(terminal)
    user:remove()
  end)

  it("prints values as Lua writes them", function()
    terminal:enter 'store:collection("plans"):get(7)'
    terminal:sees('{ id = 7, title = "paint the attic" }\n%d', true)
    terminal:enter "1, 2.0, null, {}, q.gt(1), 'a\\27b'"
    terminal:sees '1\n2.0\nnull\n{}\n{ ["$gt"] = 1 }\n"a\\x1bb"'
  end)

  it("knows rooms, and keeps globals from line to line", function()
    terminal:enter "rooms:save{ roomName = 'attic' }"
    terminal:enter "n = 20"
    terminal:enter "rooms:has 'attic', n + 1"
    terminal:sees "true\n21"
  end)

  it("goes on in the next line where something is not finished", function()
    terminal:enter "for i = 1, 2 do"
    terminal:sees ">>"
    terminal:enter "print('line ' .. i) end"
    terminal:sees "line 1\nline 2"
  end)

  it("tells errors and goes on", function()
    terminal:enter "store:collection('plans'):create{ id = 7 }"
    terminal:sees "(EXISTS)"
    terminal:enter "nothing.at.all"
    terminal:sees "attempt to index a nil value"
    terminal:enter "1 +* 2"
    terminal:sees "unexpected symbol"
    terminal:enter "'still ' .. 'here'"
    terminal:sees '"still here"'
  end)

  it("edits lines", function()
    terminal:text "'xbc'"
    terminal:press("Left", "Left", "Left", "BSpace", "a", "Home", "Right", "é", "End")
    terminal:press "Enter"
    terminal:sees '"éabc"'
    terminal:text "nonsense 'ab cd"
    terminal:press("C-w", "C-w", "C-w")
    terminal:text "40+1+"
    terminal:press("BSpace", "C-a", "C-k", "C-y", "Enter")
    terminal:sees "\n41\n"
  end)

  it("shows the part around the cursor of a line that is longer than the terminal", function()
    terminal:text(("#'%s'"):format(("0123456789"):rep(15)))
    terminal:press "Home"
    terminal:sees "larder> #'0123456789"
    terminal:press "Enter"
    terminal:sees "\n150\n"
  end)

  it("has a history, across sessions", function()
    terminal:enter "'first'"
    terminal:enter "'second'"
    terminal:press("Up", "Up", "Enter")
    terminal:sees('"first"\nlarder> \'second\'\n"second"\nlarder> \'first\'\n"first"')
    terminal:press "C-d"
    terminal:enter "clear; larder shell lmdb:./data"
    terminal:sees "larder>"
    terminal:press("Up", "Up", "Enter")
    terminal:sees "larder> 'second'\n\"second\""
  end)

  it("completes names", function()
    terminal:text "store:coll"
    terminal:press "Tab"
    terminal:sees "larder> store:collection"
    terminal:text "s()"
    terminal:press "Enter"
    terminal:sees '{ "plans" }'
    terminal:text "rooms:ex"
    terminal:press("Tab", "Tab")
    terminal:sees "expire  export"
    terminal:press "C-c"
  end)

  it("throws a line away at Ctrl-C, and ends what runs, as often as one likes", function()
    terminal:text "os.exit("
    terminal:press "C-c"
    for i = 1, 3 do
      terminal:enter("print '\\27[H\\27[2Jbusy " .. i .. "' repeat until false")
      terminal:sees("^busy " .. i, true)
      terminal:press "C-c"
      terminal:sees "interrupted"
      terminal:sees "larder>"
    end
    terminal:enter "6 * 7"
    terminal:sees "\n42"
  end)

  it("rolls back what was open when it ends", function()
    terminal:enter "tx = store:begin()"
    terminal:enter "tx:collection('plans'):put{ id = 9 }.id"
    terminal:sees "\n9\n"
    terminal:press "C-d"
    terminal:sees "\n$"
    assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
  end)
end)

describe("larder shell in a pipe", function()
  local user

  before_each(function() user = cli.new() end)
  after_each(function() user:remove() end)

  it("runs what it reads, and prints results only", function()
    local out, err = user:must("larder shell memory:", "rooms:save{ roomName = 'attic' }\nprint(rooms:has 'attic')\n")
    assert.are.equal("true\n", out)
    assert.are.equal("", err)
  end)

  it("ends with 3 at the first error", function()
    local code, out, err = user:type([[larder shell memory: -e 'print(1)' -e 'rooms:rate("a", "b", "c", "like")' -e 'print(2)']])
    assert.are.equal(3, code)
    assert.are.equal("1\n", out)
    assert.truthy(err:find "NOTFOUND")
  end)

  it("changes nothing with --read-only", function()
    user:must "larder put --create lmdb:./data plans '{\"id\": 7}'"
    local code, _, err = user:type [[larder shell --read-only lmdb:./data -e 'rooms:save{ roomName = "attic" }']]
    assert.are.equal(3, code)
    assert.truthy(err:find "MISUSE")
  end)
end)
