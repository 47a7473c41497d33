-- Signals that meet Lua code in the command: migrations and what is typed into the shell may run in coroutines, and may catch errors.
local cli = require "cli"

describe("larder, when a signal meets what it runs,", function()
  local user

  before_each(function()
    user = cli.new()
    user:must [[larder put --create lmdb:./data plans '{"id": 7}']]
  end)
  after_each(function() user:remove() end)

  -- The program sends itself the signal in a moment; before that it writes, so that something is to be rolled back.
  local function run(signal, loop)
    local program = ([[
      local function signal() os.execute "{ sleep 0.2; kill -%s $PPID; } >&- 2>&- &" end
      store:update(function(tx)
        tx:collection("plans"):put { id = 8 }
        %s
      end)]]):format(signal, loop)
    return user:type("timeout 60 larder shell lmdb:./data -e '" .. program .. "'")
  end

  local function check(code, signal, loop)
    local ended, _, err = run(signal, loop)
    assert.are.equal(code, ended, err)
    assert.are.equal("interrupted\n", err)
    assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
  end

  it("ends with 128 and its number", function()
    check(130, "INT", "signal() repeat until false")
    check(143, "TERM", "signal() repeat until false")
    check(129, "HUP", "signal() repeat until false")
  end)

  it("reaches coroutines", function()
    check(130, "INT", "coroutine.wrap(function() signal() repeat until false end)()")
    check(130, "INT", "local thread = coroutine.create(function() signal() repeat until false end) coroutine.resume(thread)")
    check(130, "INT", "coroutine.wrap(function() coroutine.wrap(function() signal() repeat until false end)() end)()")
    check(130, "INT", [[signal()
      local step = coroutine.wrap(function() while true do coroutine.yield() end end)
      while true do step() end]])
    check(129, "HUP", "coroutine.wrap(function() signal() repeat until false end)()")
  end)

  it("is not swallowed by whoever resumes coroutines", function()
    check(130, "INT", "signal() while true do coroutine.resume(coroutine.create(function() for _ = 1, 1000 do end end)) end")
    check(143, "TERM", "signal() local function work() for _ = 1, 1000 do end end while true do coroutine.wrap(work)() end")
  end)

  it("closes what a coroutine holds", function()
    check(130, "INT", [[signal()
      coroutine.wrap(function()
        local held <close> = setmetatable({}, { __close = function() io.open("closed", "w"):close() end })
        repeat until false
      end)()]])
    user:must "test -e closed"
  end)

  it("kills at the second time what catches errors", function()
    local code = run("INT", 'signal() while true do if not pcall(function() repeat until false end) then signal() end end')
    assert.are.equal(130, code)
    assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  it("kills it in a few seconds where nobody watches", function()
    assert.are.equal(129, (run("HUP", 'signal() while true do pcall(os.execute, "sleep 0.1") end')))
    assert.are.equal(143, (run("TERM", 'signal() while true do pcall(os.execute, "sleep 0.1") end')))
    assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  it("leaves coroutines as they are without one", function()
    local out = user:must([[larder shell memory: -e '
      local step = coroutine.wrap(function(a, b)
        local c = coroutine.yield(a + b)
        local d, e = coroutine.yield(c, c)
        return d, e, "end"
      end)
      print(step(1, 2)) print(step(5)) print(step(nil, 7)) print(pcall(step))
      print(coroutine.resume(coroutine.create(function(...) return select("#", ...), error { code = 1 } end), nil, nil))
      print(select("#", coroutine.wrap(function() return nil, nil end)()))
      print(pcall(coroutine.resume, 5))
      print(pcall(coroutine.wrap(function() error("no", 0) end)))
      print(coroutine.isyieldable(), coroutine.wrap(coroutine.isyieldable)())']])
    out = out:gsub("table: 0x%x+", "table"):gsub("#1 to [^\n]*", "#1")
    assert.are.equal(table.concat({ "3", "5\t5", "nil\t7\tend", "false\tcannot resume dead coroutine", "false\ttable", "2",
      "false\tbad argument #1", "false\tno", "false\ttrue", "" }, "\n"), out)
  end)
end)

describe("larder and its three files:", function()
  local user

  before_each(function()
    user = cli.new()
    local lines = {}
    for i = 1, 3000 do lines[i] = ('{"id":%d,"text":"%s"}'):format(i, ("x"):rep(100)) end
    user:must("larder put --create lmdb:./data many", table.concat(lines, "\n"))
    user:must "larder find --json lmdb:./data many >many.jsonl"
  end)
  after_each(function() user:remove() end)

  it("ends quietly when nobody reads on", function()
    for _, line in ipairs { "larder find lmdb:./data many", "larder find --json lmdb:./data many", "larder dump lmdb:./data",
      "larder put --json lmdb:./data many many.jsonl <many.jsonl", "larder shell lmdb:./data -e 'for i = 1, 1e5 do print(i) end'" } do
      local _, out, err = user:type("(" .. line:gsub(" many.jsonl <", " <") .. "; echo $? >code) | head -1")
      assert.are.equal("141\n", (user:must "cat code"), line)
      assert.are.equal(1, select(2, out:gsub("\n", "")), line)
      assert.are.equal("", (err:gsub("many: 3000 written\n", "")))
    end
  end)

  it("says so when nobody reads on and SIGPIPE is ignored", function()
    for _, line in ipairs { "larder find lmdb:./data many", "larder dump lmdb:./data" } do
      local _, _, err = user:type("trap '' PIPE; (" .. line .. "; echo $? >code) | head -1")
      assert.are.equal("3\n", (user:must "cat code"), line)
      assert.truthy(err:find("Broken pipe", 1, true), err)
    end
  end)

  it("never takes a store's file for one that is closed", function()
    assert.are.equal(3, (user:type "larder put --json lmdb:./data many <many.jsonl >&-"))
    assert.are.equal(3, (user:type "larder put --json lmdb:./data many <many.jsonl >&- 2>&-"))
    assert.are.equal(1, (user:type "larder get lmdb:./data many nobody <&- 2>&-"))
    local code, _, err = user:type "larder put lmdb:./data many <&-"
    assert.are.equal(2, code)
    assert.truthy(err:find("standard input: ", 1, true), err)
    assert.are.equal(2, (user:type "larder shell lmdb:./data <&-"))
    user:must "larder verify lmdb:./data"
  end)

  it("asks nobody where standard input is no terminal, and changes nothing", function()
    local before = user:must "larder dump lmdb:./data | sed '1d;$d' | cksum"
    user:must "larder backup take lmdb:./data b && larder dump lmdb:./data d.jsonl && larder rooms export lmdb:./data rooms"
    user:must [[larder put --create lmdb:./other a '{"id":1}' && larder queue add lmdb:./other mail 1]]
    for _, line in ipairs { "delete lmdb:./data many --all", "delete lmdb:./data many 1", "rooms delete lmdb:./data x",
      "load --replace d.jsonl lmdb:./data", "copy --overwrite lmdb:./other lmdb:./data", "dump --overwrite lmdb:./other d.jsonl",
      "restore b latest ./data", "verify --repair indexes lmdb:./data", "rooms import --replace lmdb:./data rooms",
      "queue drain lmdb:./other mail", "queue prune lmdb:./other mail", "queue cancel lmdb:./other mail 1",
      "queue delete lmdb:./other mail 1",
      "migrate down lmdb:./data rooms", "migrate redo lmdb:./data rooms", "migrate to lmdb:./data rooms 0" } do
      for _, input in ipairs { "</dev/null", "<&-", "<many.jsonl" } do
        local code, _, err = user:type("larder " .. line .. " " .. input)
        assert.are.equal(2, code, line .. err)
        assert.truthy(err:find("--yes is needed", 1, true), line .. err)
      end
    end
    assert.are.equal(before, (user:must "larder dump lmdb:./data | sed '1d;$d' | cksum"))
    assert.are.equal("1\n", (user:must "larder queue jobs --json lmdb:./other mail | wc -l"))
  end)
end)

if not cli.has_terminal then return end

describe("larder shell at a terminal, when it is to end,", function()
  local user, terminal

  before_each(function()
    user = cli.new()
    user:must [[larder put --create lmdb:./data plans '{"id": 7}']]
    terminal = user:terminal(80)
    terminal:enter "larder shell lmdb:./data; echo code $?."
    terminal:sees "larder>"
  end)
  after_each(function()
    getmetatable(terminal).__close(terminal)
    user:remove()
  end)

  it("gives the terminal back as it was", function()
    terminal:enter [[os.execute "{ sleep 0.3; kill -TERM $PPID; } >/dev/null 2>&1 &"]]
    terminal:sees "code 143."
    terminal:enter "stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo -e isig | sort | tr '\\n' ' '"
    terminal:sees "echo icanon isig"
  end)

  it("does so in the middle of what was entered, too", function()
    terminal:enter [[tx = store:begin() tx:collection("plans"):put { id = 8 }]]
    terminal:enter [[os.execute "{ sleep 0.3; kill -TERM $PPID; } >/dev/null 2>&1 &" repeat until false]]
    terminal:sees "code 143."
    assert.are.equal("1\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  it("does not outlive its terminal", function()
    user:must "rm -f pid"
    terminal:enter [[io.popen("echo $PPID >pid"):close() coroutine.wrap(function() repeat until false end)()]]
    user:must "for i in 1 2 3 4 5 6 7 8 9 10; do test -s pid && break; sleep 0.1; done"
    terminal:quit()
    user:must "pid=$(cat pid); for i in $(seq 60); do kill -0 $pid 2>/dev/null || exit 0; sleep 0.1; done; exit 1"
  end)
end)
