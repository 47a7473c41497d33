/* room_check.h -- whether a document is a room. */
#ifndef LD_ROOM_CHECK_H
#define LD_ROOM_CHECK_H

#include "base.h"

/* Where its parts are; borrowed from the document, empty when absent. */
typedef struct ld_room_fields {
  ld_slice name;     /* bytes of roomName */
  ld_slice ratings;  /* a map {media = [[user, "like" | "dislike", time], ...]} */
  ld_slice progress; /* a map {user = whole number from 0} */
  ld_slice password; /* a value */
} ld_room_fields;

/* INVALID or TOOBIG, naming the path: `ratings.media-1[3][2]: expected "like" or "dislike", got "meh"`.
** `document` is sound (ld_value_check), as writers make it. */
ld_rc ld_room_check(ld_slice document, ld_room_fields *fields, ld_error *error);

#endif
