/* hooks.h: what the pool room is handed, and what it calls. Other rooms include pool/pool.h. */
#ifndef FIREHOSED_POOL_HOOKS_H
#define FIREHOSED_POOL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/worker.h"

/* What a forked child does: it does not return. It is worker_run(), handed in, so that the master does not link to it.
 * */
typedef void pool_child_main(const struct worker_setup *setup);

struct pool_hooks {
    void *arg;
    void (*committed)(void *arg, size_t frames); /* the ledger's tail may have moved */
    void (*started)(void *arg, unsigned index);  /* a worker was forked, and can be told things */
    void (*drained)(void *arg);                  /* every worker has left after pool_drain() */
    void (*check_owner)(void *arg);              /* a worker says that another firehosed owns its slot: ask Redis */
    void (*retried)(void *arg, uint64_t number, bool ok, const char *why); /* pool_retry() has ended */
    void (*marks_lost)(void *arg);               /* a worker found that Redis has lost what was committed */
};

#endif
