#!/usr/bin/env lua5.4
-- The command `larder`, as it is installed.
os.exit(require "larder.cli".main(arg), true)
