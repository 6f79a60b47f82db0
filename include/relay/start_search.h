/* start_search.h: where in another relay's sequence to begin, so that nothing is missed. Pure: no clock, no I/O.
 *
 * A relay that is read for the first time after a failover has no cursor, and the seqs of the relay before mean nothing
 * to it. But it is known when the last event happened. So the search looks at the relay's first live event, then
 * further and further back, each time STEP_FACTOR times as far, until an event is old enough. That is a few times too
 * far back at most, and deduplication recognises what comes twice (dedup.h). The time of one event may be wrong: one
 * that is old enough is believed only if most of those behind it are, too.
 *
 *   LIVE ──first event is too new──▶ BACK (cursor = newest - step) ──still too new──▶ BACK (step × 4) ─▶ …
 *     ├──the relay has nothing older──▶ found
 *     └──old enough──▶ SAMPLING ──most of START_SAMPLE are too new──▶ BACK
 *                          └──else, or no more come──▶ CONFIRMED (cursor = in front of the first) ──▶ found */
#ifndef FIREHOSED_RELAY_START_SEARCH_H
#define FIREHOSED_RELAY_START_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/optional.h"

enum { START_SAMPLE = 25 };

struct start_search {
    bool is_on, is_confirmed;
    int64_t wanted_us;      /* an event of this time, or older: microseconds since 1970 */
    struct optional newest; /* seq of the first live event */
    int64_t step;           /* how far behind `newest` the last attempt asked; 0: none did */
    int64_t first;          /* seq that the last attempt began with */
    unsigned sampled;       /* events of this connection that were judged */
    unsigned too_new;       /* of these */
    unsigned at_last_tick;  /* `sampled` as it was then */
};

enum start_verdict {
    START_FOUND, /* this event is old enough, or the oldest one: read on from it. The search has ended */
    START_SKIP,  /* drop the event, and judge the next one */
    START_RETRY, /* connect again, at start_search_cursor() */
};

void start_search_begin(struct start_search *s, int64_t wanted_us);

/* The cursor to connect with; unknown: live events. */
struct optional start_search_cursor(const struct start_search *s);

/* A connection is up. */
void start_search_connected(struct start_search *s);

/* Once a second. Returns true if no more events come, so that the search goes on with what it has: connect again. */
bool start_search_tick(struct start_search *s);

/* Judges an event of a connection, from the first one on. */
enum start_verdict start_search_judge(struct start_search *s, int64_t seq, int64_t time_us);

#endif
