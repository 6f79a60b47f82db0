/* spawn.h: the process of a worker: forking it, and its end of the channel in the loop. */
#ifndef FIREHOSED_POOL_SPAWN_H
#define FIREHOSED_POOL_SPAWN_H

#include "base/error.h"
#include "worker_process.h"

/* Forks the worker with the next owner token, and listens to it. Returns false if that fails: *why. A child that was
 * forked all the same is killed, and will be reaped. */
bool spawn_worker(struct worker_process *w, struct error *why);

/* Closes the channel, and forgets what was waited for on it. */
void spawn_detach(struct worker_process *w);

#endif
