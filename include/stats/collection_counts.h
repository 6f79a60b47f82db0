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
    COLLECTION_COUNTS_NAME_BYTES = 96, /* an NSID may have 317; the longest in use have about 50 */
    COLLECTION_COUNTS_LISTED = 20,     /* that are shown */
};

struct collection_count {
    char name[COLLECTION_COUNTS_NAME_BYTES + 1]; /* letters, digits, '.', '-': safe in JSON and as a label */
    uint8_t len;
    bool is_listed; /* it was among the most frequent once, and so it stays in the metrics */
    uint32_t quiet_s;
    uint64_t events;
    uint64_t events_before; /* at the last tick */
    double per_s;           /* smoothed over about 10 s */
};

struct collection_counts;

struct collection_counts *collection_counts_new(void); /* returns NULL if memory is short */
void collection_counts_free(struct collection_counts *c);

/* Counts a commit by the path of its first operation, "<collection>/<rkey>". The master calls it for every frame. */
void collection_counts_count(struct collection_counts *c, const uint8_t *path, size_t len);

/* To be called once a second: computes rates, lists the most frequent, makes room. `seconds` have passed since the last
 * call. */
void collection_counts_tick(struct collection_counts *c, double seconds);

/* Fills in the most frequent entries, in that order, at most `max`. Returns their number. Valid until the next tick. */
size_t collection_counts_top(const struct collection_counts *c, const struct collection_count **top, size_t max);

/* All entries, in no order, and the number of commits that have none. */
size_t collection_counts_all(const struct collection_counts *c, const struct collection_count **entries);
uint64_t collection_counts_other(const struct collection_counts *c);

#endif
