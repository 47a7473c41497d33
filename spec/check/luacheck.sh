#!/bin/sh
# luacheck.sh [root] -- no unused, shadowed or global name in the Lua files; .luacheckrc says which are known.
cd "${1:-.}" || exit 1
command -v luacheck >/dev/null || { echo "luacheck is not here; the Lua files were not checked" && exit 77; }
exec luacheck --quiet --no-color --codes $(find lua spec examples -name "*.lua")
