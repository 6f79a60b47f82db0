/* dialer.h: connects to Redis for a worker, and passes it the descriptor. The master can resolve and connect without
 * blocking, and the worker needs neither files nor sockets of its own for it. */
#ifndef FIREHOSED_POOL_DIALER_H
#define FIREHOSED_POOL_DIALER_H

#include "worker_process.h"

/* Connects, and answers the worker; an attempt before is given up. */
void dialer_start(struct worker_process *w);
void dialer_cancel(struct worker_process *w);

#endif
