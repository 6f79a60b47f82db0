/* take.h: where the figures of a snapshot come from. */
#ifndef FIREHOSED_MASTER_REPORT_TAKE_H
#define FIREHOSED_MASTER_REPORT_TAKE_H

#include "stats/snapshot.h"

struct master;

/* Takes the snapshot anew, so that no answer is older than its question. It stays the master's, until the next one. */
const struct snapshot *report_take(struct master *m);

/* Once a second: takes it, computes rates, lag and health from it, and passes it on to the Redis keys and the service
 * manager. */
void report_tick(struct master *m);

#endif
