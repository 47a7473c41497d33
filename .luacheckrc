std = "lua54"
max_line_length = 140
include_files = { "lua", "spec", "examples", "rockspec" }
exclude_files = { "build" }

files["spec"] = { std = "+busted" }
files["spec/check"] = { globals = { "arg" } }
files["rockspec"] = { std = "+rockspec" }
