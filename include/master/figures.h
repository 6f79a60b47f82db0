/* figures.h: rates, lag, collections and their history: what status, metrics, `firehosectl top` and the status page
 * show beside the plain counters.
 *
 * figures_count() stands on the way of every frame and only counts. All else is done once a second, from a sample of
 * what the other rooms count anyway. */
#ifndef FIREHOSED_MASTER_FIGURES_H
#define FIREHOSED_MASTER_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "atproto/frame.h"
#include "base/config.h"
#include "base/counters.h"
#include "master/census.h"
#include "master/lag.h"

enum { HISTORY_SECONDS = 600 };

/* Counted of what the relay sent, duplicates too; info and error frames are no events. */
struct figures_kinds {
    uint64_t counts[FRAME_KINDS];
};

struct figures_sample {
    int64_t now_ms, now_us; /* monotonic; since 1970 */
    uint64_t events;        /* committed so far */
    uint64_t bytes;         /* received from the relay so far */
    bool relay_is_up;
    unsigned lag_count;
    struct lag_worker lags[LAG_SOURCES];
    uint64_t worker_events[CONFIG_MAX_WORKERS]; /* so far */
};

struct figures;

/* NULL: no memory. config stays the caller's; now_ms is monotonic. */
struct figures *figures_new(const struct config *config, int64_t now_ms);
void figures_free(struct figures *f);

/* A frame of an event arrived. */
void figures_count(struct figures *f, const struct frame_peek *peek);

/* Once a second. Says in the log when the lag is above lag_warn, and when it no longer is. */
void figures_tick(struct figures *f, const struct figures_sample *sample);

double figures_lag_s(const struct figures *f); /* LAG_UNKNOWN: not known */
double figures_eta_s(const struct figures *f); /* LAG_UNKNOWN: live, or not known */
double figures_events_per_s(const struct figures *f);
double figures_worker_per_s(const struct figures *f, unsigned worker);
const struct figures_kinds *figures_kinds(const struct figures *f);
const struct census *figures_collections(const struct figures *f);

/* Adds "lag_s", "eta_s", "rates", "kinds" and "collections" to the status. */
void figures_add_json(const struct figures *f, json_t *status);

/* {"interval_s":1,"events":[…],"lag":[…]}: the last ten minutes, oldest first; lag has null where it was not known.
 * A new reference, or NULL: no memory. */
json_t *figures_history_json(const struct figures *f);

#endif
