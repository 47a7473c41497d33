rockspec_format = "3.0"
package = "larder"
version = "scm-1"

source = {
  url = "git+https://github.com/larder-lua/larder.git",
}

description = {
  summary = "The storage that a Lua server embeds: rooms and documents in LMDB or memory",
  detailed = [[
Transactional storage for Lua servers, written in C: rooms, ratings and matches survive restarts and are shared by
several processes on one machine. Engines: memory and LMDB.]],
  homepage = "https://github.com/larder-lua/larder",
  license = "MIT",
  labels = { "database", "storage", "lmdb" },
}

dependencies = {
  "lua >= 5.4, < 5.5",
}

supported_platforms = { "unix" }

external_dependencies = {
  LMDB = { header = "lmdb.h", library = "lmdb" },
  CJSON = { header = "cjson/cJSON.h", library = "cjson" },
}

build = {
  type = "builtin",
  modules = {
    ["larder.core"] = {
      sources = {
        "csrc/base.c",
        "csrc/base64.c",
        "csrc/bind/argument.c",
        "csrc/bind/collection.c",
        "csrc/bind/collection_find.c",
        "csrc/bind/collection_iterator.c",
        "csrc/bind/collection_update.c",
        "csrc/bind/decode.c",
        "csrc/bind/encode.c",
        "csrc/bind/error.c",
        "csrc/bind/key.c",
        "csrc/bind/listeners.c",
        "csrc/bind/map.c",
        "csrc/bind/map_iterator.c",
        "csrc/bind/module.c",
        "csrc/bind/place.c",
        "csrc/bind/rooms.c",
        "csrc/bind/rooms_files.c",
        "csrc/bind/rooms_iterator.c",
        "csrc/bind/store.c",
        "csrc/bind/txn.c",
        "csrc/change.c",
        "csrc/collection.c",
        "csrc/crc32c.c",
        "csrc/engine.c",
        "csrc/engines/btree.c",
        "csrc/engines/btree_node.c",
        "csrc/engines/lmdb.c",
        "csrc/engines/lmdb_env.c",
        "csrc/engines/lmdb_error.c",
        "csrc/engines/lmdb_inspect.c",
        "csrc/engines/lmdb_make.c",
        "csrc/engines/lmdb_meta.c",
        "csrc/engines/lmdb_settings.c",
        "csrc/engines/lmdb_txn.c",
        "csrc/engines/lmdb_walk.c",
        "csrc/engines/memory.c",
        "csrc/env.c",
        "csrc/filter_compile.c",
        "csrc/filter_match.c",
        "csrc/filter_operator.c",
        "csrc/filter_regex.c",
        "csrc/find.c",
        "csrc/journal.c",
        "csrc/json.c",
        "csrc/json_keys.c",
        "csrc/json_layout.c",
        "csrc/json_number.c",
        "csrc/json_scan.c",
        "csrc/json_shape.c",
        "csrc/map.c",
        "csrc/name.c",
        "csrc/option.c",
        "csrc/order.c",
        "csrc/patch.c",
        "csrc/patch_act.c",
        "csrc/patch_edit.c",
        "csrc/path.c",
        "csrc/ranking.c",
        "csrc/rating.c",
        "csrc/room.c",
        "csrc/room_check.c",
        "csrc/room_files.c",
        "csrc/room_row.c",
        "csrc/row.c",
        "csrc/select.c",
        "csrc/span.c",
        "csrc/store.c",
        "csrc/sweep.c",
        "csrc/tuple.c",
        "csrc/value.c",
      },
      defines = { "_GNU_SOURCE" },
      incdirs = { "csrc", "$(LMDB_INCDIR)", "$(CJSON_INCDIR)" },
      libdirs = { "$(LMDB_LIBDIR)", "$(CJSON_LIBDIR)" },
      libraries = { "lmdb", "cjson", "m", "pthread" },
    },
    ["larder.config"] = "lua/larder/config.lua",
    ["larder.fluent"] = "lua/larder/fluent.lua",
    larder = "lua/larder/init.lua",
    ["larder.query"] = "lua/larder/query.lua",
    ["larder.types"] = "lua/larder/types.lua",
    ["larder.types.collection"] = "lua/larder/types/collection.lua",
    ["larder.types.listeners"] = "lua/larder/types/listeners.lua",
    ["larder.types.map"] = "lua/larder/types/map.lua",
  },
}
