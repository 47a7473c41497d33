-- The command at a terminal, which tmux plays: tables cut to its width, questions, the progress bar, Ctrl-C.
local cli = require "cli"
local larder = require "larder"

if not cli.has_terminal then
  return describe("larder at a terminal", function() it("is tested", function() pending "tmux is not here" end) end)
end

describe("larder at a terminal", function()
  local user

  before_each(function()
    user = cli.new()
    user:must("larder put --create lmdb:./data plans",
      '{"id": 7, "title": "日本 paint the attic and all the other rooms", "cost": 40}\n{"id": 8}')
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
    assert.truthy(screen:find("\n 7    40  日本 paint the atti…\n", 1, true), screen)
  end)

  it("prints rows as blocks where the terminal is too narrow for a table, names whole", function()
    local name = user:must("larder backup take lmdb:./data b"):gsub("\n", "")
    do
      local store <close> = larder.open("lmdb:" .. user:path "data")
      store:queue("mail"):enqueue { to = "ada" }
      store:queue("other"):enqueue { to = "bob" }
    end
    local terminal <close> = user:terminal(40, 40)
    terminal:enter "larder backup list b"
    local screen = terminal:sees "documents"
    assert.truthy(screen:find("\nname       " .. name .. "\n", 1, true), screen)
    assert.truthy(screen:find("\ndocuments  2\n", 1, true), screen)
    assert.is_nil(screen:find("problem", 1, true))
    terminal:enter "clear; larder queue list lmdb:./data"
    screen = terminal:sees "cancelled  0\n\nqueue      other\nready      1\n"
    for line in screen:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 40) end
    terminal:enter "clear; larder find lmdb:./data plans"
    terminal:sees "id  cost  title\n 7    40  日本 paint the attic and all …\n"
  end)

  it("prints no head where there are no rows", function()
    local terminal <close> = user:terminal(40)
    terminal:enter "larder queue list lmdb:./data; larder rooms list lmdb:./data; echo done."
    terminal:sees "$ larder queue list lmdb:./data; larder\nrooms list lmdb:./data; echo done.\ndone.\n"
  end)

  it("prints heads in bold, and not with NO_COLOR", function()
    local terminal <close> = user:terminal()
    local find = " script -qec 'larder find lmdb:./data plans' /dev/null </dev/null "
    terminal:enter(find .. ">out; NO_COLOR=1" .. find .. ">plain; echo done.")
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

    -- What a terminal gets, kept: some commands are done before anybody could look. In a pipe there is none of it.
    local function has_bar(terminal, name, line, before)
      user:must(before)
      terminal:enter("script -qec 'larder " .. line .. "' kept >/dev/null 2>&1 </dev/null; echo $?. " .. name .. " done")
      terminal:sees("\n0. " .. name .. " done")
      local kept = user:must "cat kept"
      assert.truthy(kept:find("\r" .. name .. " %[#+%-*%] +%d+%%  [%d,]+/[%d,]+  [%d,]+/s  [^\27]*left\27%[K"), kept)
      assert.truthy(kept:find("\r\27%[K[^\r]*\r?\n"), kept) -- it is gone in the end
      user:must(before)
      local out, err = user:must("larder " .. line)
      assert.is_nil((out .. err):find("[\r\27]"), line)
    end

    it("shows one for each command that takes long, and none in a pipe", function()
      user:must "larder dump lmdb:./data d.jsonl"
      local terminal <close> = user:terminal(100)
      for line, name in pairs { ["dump lmdb:./data out/d.jsonl"] = "dump", ["load d.jsonl lmdb:./out"] = "load",
        ["copy lmdb:./data lmdb:./out"] = "copy", ["verify lmdb:./data"] = "verify", ["recover ./data lmdb:./out"] = "recover" } do
        has_bar(terminal, name, line, name == "dump" and "rm -rf out; mkdir out" or "rm -rf out")
      end
    end)

    it("shows one for backups", function()
      user:must "larder backup take lmdb:./data backups"
      local terminal <close> = user:terminal(100)
      has_bar(terminal, "backup", "backup take lmdb:./data out", "rm -rf out")
      has_bar(terminal, "verify", "backup verify backups latest", "true")
      has_bar(terminal, "restore", "restore --yes backups latest ./out", "rm -rf out")
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

  local endless = [['store:update(function(tx) tx:collection("plans"):put{ id = 99 } print(6 * 7000) while true do end end)']]

  it("rolls back a transaction that Ctrl-C meets", function()
    local terminal <close> = user:terminal()
    terminal:enter("larder shell lmdb:./data -e " .. endless)
    terminal:sees "42000"
    terminal:press "C-c"
    terminal:sees "interrupted"
    assert.are.equal(130, code_of(terminal))
    assert.are.equal("2\n", (user:must "larder find lmdb:./data plans --count"))
  end)

  it("ends with 143 at SIGTERM, likewise", function()
    local terminal <close> = user:terminal()
    terminal:enter("larder shell lmdb:./data -e " .. endless .. " & PID=$!")
    terminal:sees "42000"
    terminal:enter "kill -TERM $PID; wait $PID; echo code $?."
    terminal:sees "code 143."
    assert.are.equal("2\n", (user:must "larder find lmdb:./data plans --count"))
  end)
end)
