/* figures.h: rates, lag, collections and their history: what status, metrics, `firehosectl top` and the status page
 * show beside the plain counters.
 *
 * traffic_count() stands on the way of every frame and only counts. All else is done once a second, from a sample of
 * what the other rooms count anyway. */
#ifndef FIREHOSED_STATS_TRAFFIC_H
#define FIREHOSED_STATS_TRAFFIC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "atproto/frame.h"
#include "base/config.h"
#include "ipc/counters.h"
#include "stats/collection_counts.h"
#include "stats/lag.h"

enum { HISTORY_SECONDS = 600 };

/* Counted of what the relay sent, duplicates too; info and error frames are no events. */
struct traffic_kinds {
    uint64_t counts[FRAME_KINDS];
};

struct traffic_sample {
    int64_t now_ms, now_us; /* monotonic; since 1970 */
    uint64_t events;        /* committed so far */
    uint64_t bytes;         /* received from the relay so far */
    bool relay_is_up;
    unsigned lag_count;
    struct lag_worker lags[LAG_SOURCES];
    uint64_t worker_events[WORKERS_MAX]; /* so far */
};

struct traffic;

/* NULL: no memory. config stays the caller's; now_ms is monotonic. */
struct traffic *traffic_new(const struct config *config, int64_t now_ms);
void traffic_free(struct traffic *f);

/* A frame of an event arrived. */
void traffic_count(struct traffic *f, const struct frame_peek *peek);

/* Once a second. Says in the log when the lag is above lag_warn, and when it no longer is. */
void traffic_tick(struct traffic *f, const struct traffic_sample *sample);

double traffic_lag_s(const struct traffic *f); /* LAG_UNKNOWN: not known */
double traffic_eta_s(const struct traffic *f); /* LAG_UNKNOWN: live, or not known */
double traffic_events_per_s(const struct traffic *f);
double traffic_worker_per_s(const struct traffic *f, unsigned worker);
const struct traffic_kinds *traffic_kinds(const struct traffic *f);
const struct collection_counts *traffic_collections(const struct traffic *f);

/* Adds "lag_s", "eta_s", "rates", "kinds" and "collections" to the status. */
void traffic_add_json(const struct traffic *f, json_t *status);

/* {"interval_s":1,"events":[…],"lag":[…]}: the last ten minutes, oldest first; lag has null where it was not known.
 * A new reference, or NULL: no memory. */
json_t *traffic_history_json(const struct traffic *f);

#endif
