/* lmdb_txn.h -- top-level transactions of a shared environment: counted, with one writer, with a map that fits.
**
** The map may change only while no transaction of the process is open. So it grows at `begin`: when more than 3/4 are used, when
** an earlier write did not fit, when another process has grown the file. */
#ifndef LD_LMDB_TXN_H
#define LD_LMDB_TXN_H

#include "lmdb_env.h"

/* `*txn` may be a read transaction to renew (else NULL); when this fails, what it is then stays the caller's.
** MISUSE: this thread is writing already. Another thread or process that writes is waited for. BUSY, IO, NOMEM. */
ld_rc ld_lmdb_txn_begin(ld_lmdb_env *env, bool writable, MDB_txn **txn, const ld_env *log,
                        ld_error *error);
/* End a write transaction; it is gone whatever comes out. */
ld_rc ld_lmdb_txn_commit(ld_lmdb_env *env, MDB_txn *txn, ld_error *error);
void ld_lmdb_txn_abort(ld_lmdb_env *env, MDB_txn *txn);
/* The caller has reset or aborted a read transaction. */
void ld_lmdb_txn_done(ld_lmdb_env *env);
/* A write of `size` bytes did not fit: the next begin makes room. */
void ld_lmdb_txn_want(ld_lmdb_env *env, uint64_t size);

#endif
