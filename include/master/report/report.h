/* report.h: what firehosed tells of itself: the snapshot of all figures (take.c), and the pages over HTTP (pages.c). */
#ifndef FIREHOSED_MASTER_REPORT_REPORT_H
#define FIREHOSED_MASTER_REPORT_REPORT_H

#include "base/error.h"
#include "stats/snapshot.h"

struct master;

/* Takes the snapshot anew, so that no answer is older than its question. It stays the master's, until the next one. */
const struct snapshot *report_take(struct master *m);

/* Once a second: takes the snapshot, computes rates, lag and health from it, and tells the Redis keys and the service
 * manager. */
void report_tick(struct master *m);

/* Serves the pages on http_listen, if that is set. Returns false, and fills *why, if that is not possible. */
bool report_open_pages(struct master *m, struct error *why);

#endif
