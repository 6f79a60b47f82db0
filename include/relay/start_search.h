/* seek.h: where in another relay's sequence to begin, so that nothing is missed. Pure: no clock, no I/O.
 *
 * A relay that is read for the first time (fail-over) has no cursor, and the seqs of the one before mean
 * nothing to it. What is known is when the last event happened. So its first live event is looked at, then
 * events further and further back, each time STEP_FACTOR times as far, until one is old enough: reading
 * begins there. It is at most a few times too far, and what comes twice is recognised (seen.h).
 *
 *   LIVE ──first event is too new──▶ BACK (cursor = newest - step) ──still too new──▶ BACK (step × 4) ─▶ …
 *     └──old enough, or the relay has nothing older──▶ found */
#ifndef FIREHOSED_RELAY_START_SEARCH_H
#define FIREHOSED_RELAY_START_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

struct start_search {
    bool is_on;
    int64_t wanted_us; /* an event of this time, or older: microseconds since 1970 */
    bool has_newest;
    int64_t newest; /* seq of the first live event */
    int64_t step;   /* how far behind it was asked for; 0: not yet */
    int64_t first;  /* seq that the last attempt began with */
};

enum start_verdict {
    START_FOUND, /* this event is old enough, or the oldest that there is: read on from it */
    START_RETRY, /* connect again, at start_search_cursor() */
};

void start_search_begin(struct start_search *k, int64_t wanted_us);

/* What to connect with; false: no cursor, live. */
bool start_search_cursor(const struct start_search *k, int64_t *cursor);

/* The first event of a connection; START_FOUND ends the search. */
enum start_verdict start_search_judge(struct start_search *k, int64_t seq, int64_t time_us);

#endif
