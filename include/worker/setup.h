/* setup.h: what the master hands a worker at its start. */
#ifndef FIREHOSED_WORKER_SETUP_H
#define FIREHOSED_WORKER_SETUP_H

#include <sys/types.h>

#include "base/config.h"
#include "ipc/channel.h"
#include "ipc/counters.h"
#include "redis/progress.h"

struct worker_setup {
    unsigned index;
    pid_t master;
    const struct config *config; /* the child's copy of the master's */
    struct channel channel;      /* the worker's end */
    struct ring_view ring;       /* where the frames are */
    struct worker_slot *slot;
    union known_page *known; /* this worker's page: what is in Redis for certain */
    uint64_t own;              /* bit p: partition p is this worker's */
    const char *progress_key;  /* of the relay that is read */
    struct owner_token owner;  /* this worker's: newer than any before it in its slot */
};

#endif
