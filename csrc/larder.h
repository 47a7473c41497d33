/* larder.h -- the whole core, for C programs that link liblarder without Lua. */
#ifndef LD_LARDER_H
#define LD_LARDER_H

#include "backup.h"
#include "base.h"
#include "cache.h"
#include "change.h"
#include "find.h"
#include "collection.h"
#include "engine.h"
#include "env.h"
#include "filter.h"
#include "journal.h"
#include "json.h"
#include "map.h"
#include "patch.h"
#include "queue.h"
#include "queue_schedule.h"
#include "restore.h"
#include "room.h"
#include "room_files.h"
#include "row.h"
#include "store.h"
#include "tuple.h"
#include "upgrade.h"
#include "value.h"

#endif
