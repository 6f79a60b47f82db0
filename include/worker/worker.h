/* worker.h: the process that decodes frames and writes them to Redis. */
#ifndef FIREHOSED_WORKER_WORKER_H
#define FIREHOSED_WORKER_WORKER_H

#include <sys/types.h>

#include "base/config.h"
#include "ipc/counters.h"
#include "ipc/channel.h"
#include "redis/progress.h"

struct worker_setup {
    unsigned index;
    pid_t master;
    const struct config *config; /* the child's copy of the master's */
    struct channel channel;      /* the worker's end */
    struct ring_view ring;       /* where the frames are */
    struct worker_slot *slot;
    struct known_marks *known;
    uint64_t own; /* bit p: partition p is this worker's */
    const char *progress_key;    /* of the relay that is read */
    struct owner_token owner; /* this worker's: newer than any before it in its slot */
};


/* The worker's life, called in the child right after fork; does not return. Exits 0 when the master has shut the data
 * pair down and all of it is committed, or when the master is gone; 1 when it cannot start or go on; else as in
 * enum ipc_exit. */
void worker_run(const struct worker_setup *setup) __attribute__((noreturn));

#endif
