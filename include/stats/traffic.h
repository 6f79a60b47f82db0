/* traffic.h: events that pass: their kinds and collections, rates, lag, and the history of both.
 *
 * traffic_count() stands on the way of every frame and only counts. Everything else is done once a second, from a
 * snapshot. */
#ifndef FIREHOSED_STATS_TRAFFIC_H
#define FIREHOSED_STATS_TRAFFIC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "stats/history.h"
#include "stats/snapshot.h"

struct traffic;

/* now_ms is monotonic. Returns NULL if memory is short. */
struct traffic *traffic_new(int64_t now_ms);
void traffic_free(struct traffic *t);

/* An event has arrived. path: "<collection>/<rkey>" of a commit's first operation, or NULL. */
void traffic_count(struct traffic *t, enum event_kind kind, const uint8_t *path, size_t path_len);

/* Once a second: computes rates and lag from the snapshot's other figures. Says in the log when the lag is above
 * lag_warn, and when it no longer is. */
void traffic_tick(struct traffic *t, const struct snapshot *s);

/* Fills in kinds, collections, rates and lag, as of the last tick. */
void traffic_fill(const struct traffic *t, struct snapshot *s);

/* The history of rates, lag, ring and Redis: see history_json(). A new reference; NULL if memory is short. */
json_t *traffic_history_json(const struct traffic *t, enum history_span span);

#endif
