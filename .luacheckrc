std = "lua54"
max_line_length = 140
exclude_files = { "build" }

files["spec"] = { std = "+busted" }
-- Declarations for editors: nothing in it runs.
files["lua/larder/types.lua"] = { ignore = { "212", "241", "631" } }
files["lua/larder/types"] = { ignore = { "212", "241", "631" } }
