/* collection_counts.h: how many commits of which collection have passed: a bounded table.
 *
 * Names are strangers' text. The table has a fixed number of entries, each with a fixed room for its name. A name that
 * does not fit, or does not look like a collection, counts as "other". Entries that were quiet for minutes make room
 * for new ones, so that a flood of invented names cannot keep the real ones out for ever. A total never goes back, but
 * the events of a dropped entry count as other. */
#ifndef FIREHOSED_STATS_COLLECTION_COUNTS_H
#define FIREHOSED_STATS_COLLECTION_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COLLECTION_COUNTS_MAX = 256,
    COLLECTION_COUNTS_NAME_BYTES = 96, /* an NSID may have 317; those in use have up to 50 */
    COLLECTION_COUNTS_LISTED = 20,    /* how many are shown */
};

struct collection_count {
    char name[COLLECTION_COUNTS_NAME_BYTES + 1]; /* letters, digits, '.', '-': safe in JSON and as a label */
    uint8_t len;
    bool is_listed; /* was among the most frequent once: metrics go on with it */
    uint32_t quiet_s;
    uint64_t events;
    uint64_t events_before; /* at the last tick */
    double per_s;           /* smoothed over about 10 s */
};

struct collection_counts;

struct collection_counts *collection_counts_new(void); /* NULL: no memory */
void collection_counts_free(struct collection_counts *c);

/* A commit's first op passed: path is "<collection>/<rkey>". On the way of every frame. */
void collection_counts_count(struct collection_counts *c, const uint8_t *path, size_t len);

/* Once a second: rates, listing, room for new ones. seconds: since the last time. */
void collection_counts_tick(struct collection_counts *c, double seconds);

/* The most frequent first, `max` at most; returns how many. Valid until the next tick. */
size_t collection_counts_top(const struct collection_counts *c, const struct collection_count **top, size_t max);

/* All entries, in no order, and what has none. */
size_t collection_counts_all(const struct collection_counts *c, const struct collection_count **entries);
uint64_t collection_counts_other(const struct collection_counts *c);

#endif
