/* room.h: a Redis that refuses writes for lack of memory cannot trim the stream, as only writes trim it. If the stream
 * is what fills it, the oldest entries go, so that new ones have room. */
#ifndef FIREHOSED_ROOM_H
#define FIREHOSED_ROOM_H

#include "session.h"
#include "store/usage.h"

/* So long must frames wait without a commit. */
enum { ROOM_STANDING_S = 3 };

struct room {
    struct session *session;
    const struct store_usage *usage;
    unsigned standing_s;
    bool is_asking; /* an answer is on its way */
    int64_t wanted; /* entries that may stay */
    uint64_t trimmed;
    struct log_throttle throttle;
};

/* How many of `length` entries may stay. bytes: what the stream takes. Returns -1 if the stream is not what fills Redis,
 * or if Redis is not full: `reserve` bytes may be in use for a transaction that it refuses. Pure. */
int64_t room_entries_to_keep(const struct store_usage *usage, int64_t bytes, int64_t reserve);

void room_on_lost(struct room *r);

/* Once a second. stands: frames wait, and nothing was committed in that second. */
void room_tick(struct room *r, bool stands);

#endif
