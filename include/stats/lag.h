/* lag.h: how far behind the network this is, and when it will have caught up. Pure: no clock, no I/O.
 *
 * The lag is the age that events have when they are committed. While nothing is committed although there is something
 * to commit (Redis is away, a worker hangs), or the relay cannot be reached, it grows with the clock. When the relay
 * has had nothing for a minute, and all is committed, it is not known. */
#ifndef FIREHOSED_STATS_LAG_H
#define FIREHOSED_STATS_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define LAG_UNKNOWN (-1.0)

enum {
    LAG_LIVE_S = 5,   /* nearer than this is live: nothing to estimate */
    LAG_QUIET_S = 60, /* nothing was committed for so long, and nothing waits: not known */
    LAG_RECENT_S = 2, /* who has nothing to do counts if it committed not longer than this before the last of all */
    LAG_SOURCES = WORKERS_MAX + 1, /* the workers, and the master */
};

/* What one worker says (struct worker_slot), and how many frames it has to do. The master counts as one more: it sees
 * the frames that it filters. */
struct lag_worker {
    int64_t lag_us, commit_us; /* commit_us 0: never */
    size_t queued;
};

/* Between one reading and the next; zeroed is the beginning. */
struct lag_memory {
    int64_t commit_us[LAG_SOURCES];
    bool was_queued[LAG_SOURCES];
};

/* Seconds, of the worker that is furthest behind; LAG_UNKNOWN. Once a second. */
double lag_now(struct lag_memory *m, const struct lag_worker *workers, unsigned count, bool relay_is_up,
               int64_t now_us);

/* Seconds until live, from the lags of the last seconds (oldest first, one a second, LAG_UNKNOWN where there was none).
 * LAG_UNKNOWN: it is live, does not come nearer, or has not been coming nearer for long enough to tell. */
double lag_time_to_live(const double *lags, size_t count);

#endif
