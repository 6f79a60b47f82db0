/* lag.h: how far firehosed is behind the network, and when it will have caught up. Pure: no clock, no I/O.
 *
 * The lag is the age of events at their commit. It grows with the clock while frames wait and none is committed, and
 * while the relay cannot be reached. It is unknown before the first commit, and when the relay has sent nothing for a
 * minute and everything is committed. */
#ifndef FIREHOSED_STATS_LAG_H
#define FIREHOSED_STATS_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define LAG_UNKNOWN (-1.0)

enum {
    LAG_LIVE_S = 5,   /* a smaller lag is live: there is nothing to estimate */
    LAG_QUIET_S = 60, /* after so long without a commit or a frame the lag is unknown */
    LAG_RECENT_S = 2, /* an idle worker counts if its commit is not older than the newest one by more than this */
    LAG_SOURCES = WORKERS_MAX + 1, /* the workers, and the master */
};

/* The age of events at a worker's last commit, the time of that commit since 1970, and the number of its uncommitted
 * frames. The master counts as one more worker: it filters frames. */
struct lag_worker {
    int64_t lag_us, commit_us; /* commit_us 0: never */
    size_t queued;
};

/* Kept from one call to the next; zeroed is the beginning. */
struct lag_memory {
    int64_t commit_us[LAG_SOURCES];
    bool was_queued[LAG_SOURCES];
};

/* To be called once a second. Returns the lag in seconds of the worker that is furthest behind, or LAG_UNKNOWN. */
double lag_now(struct lag_memory *m, const struct lag_worker *workers, unsigned count, bool relay_is_up,
               int64_t now_us);

/* Estimates the seconds until live from the lags of the last seconds (oldest first, one a second). Returns LAG_UNKNOWN
 * if the lag is live already, does not shrink, or has not shrunk for long enough. */
double lag_time_to_live(const double *lags, size_t count);

#endif
