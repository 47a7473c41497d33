-- The command's section of README.md: its examples run as they are pasted, one after the other.
local cli = require "cli"
local larder = require "larder"
local support = require "support"

describe("README.md on the command", function()
  local section = support.read_file("README.md"):match "\n## The command\n(.-)\n## "
  local user

  setup(function()
    user = cli.new()
    local store <close> = larder.open "memory:"
    store:rooms():save { roomName = "movie night" }
    for _, name in ipairs { "ada", "grace" } do store:rooms():rate("movie night", name, "movie-7", "like") end
    store:rooms():export(user:path "rooms")
  end)
  teardown(function() user:remove() end)

  local wanted = { "paint the attic.*sound: ", "loaded: .*copied.*restored" }

  local count = 0
  for script in section:gmatch "```sh\n(.-)```" do
    count = count + 1
    local told = wanted[count]
    it("has an example that works: " .. script:match "[^\n]*", function()
      local out = user:must("exec 2>&1; set -e\n" .. script)
      assert.truthy(out:find(told), out)
    end)
  end

  it("has two examples, and says all that the help says", function()
    assert.are.equal(2, count)
    local help = user:must "larder --help"
    for name in help:match("\nCommands:(\n.-)\n\n"):gmatch "\n   ([%l]+) " do
      if name ~= "help" and name ~= "completion" then assert.truthy(section:find("`" .. name .. "[` ]"), name) end
    end
    for code in help:match("Exit codes:(\n.-)\n\n"):gmatch "\n   (%d+) " do assert.truthy(section:find("[ ;]" .. code .. " "), code) end
  end)
end)
