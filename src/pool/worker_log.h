/* worker_log.h: the lines that a worker sends for the log. */
#ifndef FIREHOSED_POOL_WORKER_LOG_H
#define FIREHOSED_POOL_WORKER_LOG_H

#include "worker_process.h"

/* Takes up to `max` lines of the worker. */
void worker_log_take(struct worker_process *w, unsigned max);

/* A callback of libevent; arg is the worker. */
void worker_log_on_line(evutil_socket_t fd, short what, void *arg);

#endif
