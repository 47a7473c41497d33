/* backup_judge.h -- what a store in a folder is worth: opened, verified, hashed. Private to backups; to be called in a process of its own (apart.h). */
#ifndef LD_BACKUP_JUDGE_H
#define LD_BACKUP_JUDGE_H

#include "apart.h"
#include "engine.h"
#include "verify.h"

typedef struct ld_judgement {
  ld_verify_report report;
  char hash[2 * LD_HASH + 1];
} ld_judgement;

/* CORRUPT: something is wrong, and what. INVALID: no store of ours. UNSUPPORTED: of a newer version. Two parts of the gauge's, from `part` on. */
ld_rc ld_backup_judge(const char *folder, ld_gauge *gauge, unsigned part, ld_judgement *judgement,
                      ld_error *error);

#endif
