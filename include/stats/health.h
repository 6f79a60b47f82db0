/* health.h: is the process well, and does it do its work: two questions about a snapshot, each with its reasons. Pure.
 *
 * Well (/healthz): a supervisor must not kill a process for trouble that a new one would suffer from just the same. So
 * an absent Redis or relay is told, but is not unhealthy; a worker that dies again and again is. Ready (/readyz):
 * connected to the relay, and events are committed. */
#ifndef FIREHOSED_STATS_HEALTH_H
#define FIREHOSED_STATS_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "stats/snapshot.h"

enum { HEALTH_STUCK_S = 10 /* frames wait, and nothing was committed for so long */ };

/* Kept from one second to the next; zeroed is the beginning. */
struct health {
    uint64_t events[WORKERS_MAX];
    unsigned stuck_s[WORKERS_MAX];
    bool was_queued[WORKERS_MAX];
};

/* Once a second. */
void health_tick(struct health *h, const struct snapshot *s);

bool health_is_well(const struct snapshot *s);
bool health_is_ready(const struct health *h, const struct snapshot *s);

/* {"status":"ok"|"failing","reasons":[…],"notes":[…]}, and {"status":"ready"|"not ready",…}: the reasons say why it
 * fails, the notes what else an operator should know. New references; NULL if memory is short. */
json_t *health_json(const struct snapshot *s);
json_t *health_ready_json(const struct health *h, const struct snapshot *s);

#endif
