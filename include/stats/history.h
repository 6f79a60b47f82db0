/* history.h: what the charts show: figures of each second, kept for ten minutes, and folded for an hour and a day. Its
 * memory is fixed (about 100 KB). Pure. */
#ifndef FIREHOSED_STATS_HISTORY_H
#define FIREHOSED_STATS_HISTORY_H

#include <jansson.h>

enum { HISTORY_SECONDS = 600 };

/* Folding takes the mean of rates, and the highest value of the others. */
enum history_series {
    HISTORY_EVENTS,       /* a second */
    HISTORY_COMMIT,       /* these five: received a second, in the order of enum event_kind */
    HISTORY_SYNC,
    HISTORY_IDENTITY,
    HISTORY_ACCOUNT,
    HISTORY_UNKNOWN,
    HISTORY_DEAD_LETTERS, /* a second */
    HISTORY_LAG,          /* seconds */
    HISTORY_RING,         /* per cent */
    HISTORY_ROUND_TRIP,   /* milliseconds, of the slowest worker's last transaction */
    HISTORY_SERIES
};

enum history_span { HISTORY_10_MIN, HISTORY_1_H, HISTORY_24_H, HISTORY_SPANS };

struct history;

struct history *history_new(void); /* returns NULL if memory is short */
void history_free(struct history *h);

/* Adds the values of one second. A value below 0 is unknown. */
void history_add(struct history *h, const double values[HISTORY_SERIES]);

/* Returns a series of the last ten minutes, a value a second, the newest last: HISTORY_SECONDS values. */
const double *history_seconds(const struct history *h, enum history_series series);

/* Returns {"interval_s":…,"events":[…],"lag":[…],…}, oldest first. Unknown values are null, but 0 in "events" of ten
 * minutes. A new reference; NULL if memory is short. */
json_t *history_json(const struct history *h, enum history_span span);

#endif
