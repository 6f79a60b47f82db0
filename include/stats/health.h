/* health.h: is the process well, and does it do its work: two questions, each with its reasons. Pure.
 *
 * Well (/healthz): a supervisor that kills what is not well must not kill for what a new process would suffer from just
 * the same. Redis or the relay being away is said, but is not unhealthy; a worker that dies again and again is.
 * Ready (/readyz): connected to the relay, and what comes is committed. */
#ifndef FIREHOSED_STATS_HEALTH_H
#define FIREHOSED_STATS_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum {
    HEALTH_NOTE_BYTES = 256,
    HEALTH_STUCK_S = 10, /* frames wait, and nothing was committed for so long */
};

struct health_worker {
    bool is_there, is_ready, keeps_dying;
    const char *state;
    char note[HEALTH_NOTE_BYTES];
    uint64_t restarts;
    size_t queued;
    uint64_t events; /* dealt with so far */
};

struct health_sample {
    const char *state; /* of the master */
    bool is_running, is_stopping;
    bool relay_is_up, relay_is_paused;
    const char *relay_state, *relay_note;
    bool redis_is_up;
    const char *redis_state, *redis_note;
    double lag_s, lag_warn_s; /* lag_s < 0: not known; lag_warn_s 0: never too much */
    unsigned workers;
    struct health_worker worker[WORKERS_MAX];
};

/* From one second to the next; zeroed is the beginning. */
struct health {
    uint64_t events[WORKERS_MAX];
    unsigned stuck_s[WORKERS_MAX];
    bool was_queued[WORKERS_MAX];
};

/* Once a second. */
void health_tick(struct health *h, const struct health_sample *s);

bool health_is_well(const struct health_sample *s);
bool health_is_ready(const struct health *h, const struct health_sample *s);

/* {"status":"ok"|"failing","reasons":[…],"notes":[…]}: reasons are why it fails, notes what else is to be known.
 * {"status":"ready"|"not ready","reasons":[…],"notes":[…]}. New references, or NULL: no memory. */
json_t *health_json(const struct health_sample *s);
json_t *health_ready_json(const struct health *h, const struct health_sample *s);

#endif
