/* census.h: how many commits of which collection have passed: a bounded table.
 *
 * Names are strangers' text. The table has a fixed number of entries, each with a fixed room for its name; what does
 * not fit, or does not look like a collection, counts as "other". Entries that were not seen for minutes make room for
 * new ones, so that a flood of invented names does not keep the real ones out for ever. A total never goes back, but
 * when an entry is dropped its events count as other. */
#ifndef FIREHOSED_MASTER_CENSUS_H
#define FIREHOSED_MASTER_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CENSUS_MAX = 256,
    CENSUS_NAME_BYTES = 96, /* an NSID may have 317; those in use have up to 50 */
    CENSUS_LISTED = 20,    /* how many are shown */
};

struct census_entry {
    char name[CENSUS_NAME_BYTES]; /* letters, digits, '.', '-': safe in JSON and as a label; not terminated */
    uint8_t len;
    bool is_listed; /* was among the most frequent once: metrics go on with it */
    uint32_t quiet_s;
    uint64_t events;
    uint64_t events_before; /* at the last tick */
    double per_s;           /* smoothed over about 10 s */
};

struct census;

struct census *census_new(void); /* NULL: no memory */
void census_free(struct census *c);

/* A commit's first op passed: path is "<collection>/<rkey>". On the way of every frame. */
void census_count(struct census *c, const uint8_t *path, size_t len);

/* Once a second: rates, listing, room for new ones. seconds: since the last time. */
void census_tick(struct census *c, double seconds);

/* The most frequent first, `max` at most; returns how many. Valid until the next tick. */
size_t census_top(const struct census *c, const struct census_entry **top, size_t max);

/* All entries, in no order, and what has none. */
size_t census_all(const struct census *c, const struct census_entry **entries);
uint64_t census_other(const struct census *c);

#endif
