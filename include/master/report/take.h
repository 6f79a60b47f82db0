/* take.h: where the figures of a snapshot come from. */
#ifndef FIREHOSED_MASTER_REPORT_TAKE_H
#define FIREHOSED_MASTER_REPORT_TAKE_H

#include "stats/snapshot.h"

struct master;

/* Takes the snapshot anew, and returns it; it stays the master's, until it is taken again. */
const struct snapshot *report_take(struct master *m);

/* Once a second: takes it, and computes rates, lag and health from it. */
void report_tick(struct master *m);

#endif
