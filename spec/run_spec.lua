-- What `make test` believes: spec/check/run.sh runs one test, spec/check/total.sh adds up.
local shell = require "check.shell"

describe("run.sh and total.sh", function()
  local root

  before_each(function() root = shell.folder() end)
  after_each(function() shell.remove(root) end)

  -- Run each command as a test, then add up.
  local function total(...)
    local names = {}
    for i, command in ipairs { ... } do
      names[i] = root .. "/" .. i
      shell.must(("spec/check/run.sh %s 1 sh -c %s"):format(names[i], shell.quote(command)))
    end
    local ok, output = shell.run("spec/check/total.sh " .. table.concat(names, " "))
    return ok, output:match "([^\n]*)\n$"
  end

  it("count a program as one", function()
    assert.are.same({ true, "2 passed, 0 failed" }, { total("true", "echo fine") })
  end)

  it("count what busted counted", function()
    local words = "echo '7 successes / 2 failures / 1 error / 4 pending : 0.1 seconds'; exit 3"
    assert.are.same({ false, "8 passed, 3 failed" }, { total("true", words) })
  end)

  it("fail for a status, a signal, a test without end", function()
    assert.are.same({ false, "0 passed, 3 failed" }, { total("exit 1", "kill -SEGV $$", "sleep 20") })
  end)

  it("fail for a spec that dies after its last words", function()
    assert.are.same({ false, "1 passed, 1 failed" },
      { total "echo '1 success / 0 failures / 0 errors / 0 pending : 0.1 seconds'; kill -SEGV $$" })
  end)

  it("fail for a spec file that holds no test", function()
    assert.are.same({ false, "0 passed, 1 failed" },
      { total "echo '0 successes / 0 failures / 0 errors / 0 pending : 0.1 seconds'" })
  end)

  it("fail for a sanitizer's report of a process that nobody asked", function()
    assert.are.same({ false, "1 passed, 1 failed" },
      { total("ASAN_OPTIONS=a=1 true", "echo leak >" .. root .. "/2.report.99") })
  end)

  it("fail for a result that is missing, and for none at all", function()
    assert.is_false((shell.run("spec/check/total.sh " .. root .. "/none")))
    assert.is_false((shell.run "spec/check/total.sh"))
  end)

  it("take status 77 as skipped", function()
    assert.are.same({ true, "1 passed, 0 failed" }, { total("true", "exit 77") })
  end)
end)
