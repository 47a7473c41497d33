-- larder shell: at a terminal, which tmux plays, and in a pipe.
local cli = require "cli"

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

if not cli.has_terminal then return end

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

  it("completes the names of what is stored, in quotes", function()
    terminal:enter "store:map 'seen':set('ada', 1); store:map 'seldom':set(1, 1); store:map '\\27[2J':set(1, 1)"
    terminal:enter "store:queue('mail'):enqueue(1); rooms:save { roomName = 'movie night' }"
    terminal:text "store:collection 'pl"
    terminal:press "Tab"
    terminal:text "':count()"
    terminal:press "Enter"
    terminal:sees "store:collection 'plans':count()\n1\n"
    terminal:text 'store:map("se'
    terminal:press("Tab", "Tab")
    terminal:sees "\nseen  seldom\nlarder> store:map(\"se"
    terminal:press "C-u"
    terminal:text 'rooms:has "mov'
    terminal:press "Tab"
    terminal:text '"'
    terminal:press "Enter"
    terminal:sees 'rooms:has "movie night"\ntrue\n'
    terminal:text 'store:queue "'
    terminal:press "Tab"
    terminal:sees 'store:queue "mail'
    terminal:press "C-c"
    terminal:enter "store:maps()"
    terminal:sees '{ "\\x1b[2J", "seen", "seldom" }'
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
