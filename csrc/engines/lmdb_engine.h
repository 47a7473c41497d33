/* lmdb_engine.h -- the LMDB engine, `ld_lmdb_engine` of engine.h: what a program may set and has to know.
**
** Options: `path` (required; a folder, made when missing, with data.mdb and lock.mdb in it), `map_size` (64GiB; what the file
** may grow to at first, address space only; it doubles by itself), `durability` (commit: survives a power loss; system: survives
** the death of the process, a power loss may take the last commits; none: bulk loads, tests), `readers` (1024 slots),
** `check_on_open` (16MiB: a file up to this size is checked whole before it is used; 0: never), `read_only` (false).
**
** Handles of one process on one environment (device and inode of data.mdb) share it and need equal options. A write transaction
** ends on the thread that began it: its lock belongs to that thread. After fork, a child may go on using its handles:
** the first use opens the environment again; transactions and cursors from before the fork are MISUSE there. */
#ifndef LD_LMDB_ENGINE_H
#define LD_LMDB_ENGINE_H

/* NULL, or why the liblmdb that runs here cannot be used: "built for liblmdb ..., running ... is too old". Borrowed for ever. */
const char *ld_lmdb_problem(void);

#endif
