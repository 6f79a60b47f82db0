/* worker.h: the process that decodes frames and writes them to Redis. */
#ifndef FIREHOSED_WORKER_WORKER_H
#define FIREHOSED_WORKER_WORKER_H

#include "worker/setup.h"

/* The worker's life, called in the child right after fork; it does not return. The worker exits with 0 when the master
 * has shut the data pair down and all of it is committed, or when the master is gone; with 1 when it cannot start or go
 * on; else as in enum ipc_exit. */
void worker_run(const struct worker_setup *setup) __attribute__((noreturn));

#endif
