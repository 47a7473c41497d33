-- busted.lua -- busted under the Lua that runs this file, whatever `busted` in PATH would choose.
require "busted.runner" { standalone = false }
