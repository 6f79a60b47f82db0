/* dispatch.h: frames of the ring down to a worker, its acks back into the ledger. */
#ifndef FIREHOSED_POOL_DISPATCH_H
#define FIREHOSED_POOL_DISPATCH_H

#include "worker_process.h"

/* All that the number of frames rests on that a worker may get now. */
struct dispatch_case {
    bool is_held;         /* by pool_hold() */
    bool is_leaving;      /* the worker gets nothing new */
    bool has_partial;     /* a part of the next reference is in the channel already */
    bool has_next;        /* there is an unsent record */
    bool next_is_suspect; /* it was with a worker that died */
    bool first_is_suspect; /* the oldest record in flight is */
    size_t in_flight, waiting; /* records that were sent, and that were not */
    size_t batch_events;       /* of the configuration */
};

/* Pure. Suspects go one at a time: the next frame leaves when the one before it is committed, so that a death tells
 * which frame caused it. */
size_t dispatch_allowance(const struct dispatch_case *c);

enum { DISPATCH_FRAMES = 128 /* the most in one write */ };

/* Sends what the worker may have now. */
void dispatch_send(struct worker_process *w);

/* Callbacks of libevent; arg is the worker. */
void dispatch_on_writable(evutil_socket_t fd, short what, void *arg);
void dispatch_on_message(evutil_socket_t fd, short what, void *arg);

/* Takes the messages that are there, though not all at once. Kills a worker that sends something else, or that has shut
 * its side. */
void dispatch_receive(struct worker_process *w);

/* Takes messages of the worker. Returns IPC_OK if it took `max` of them, and there may be more. */
enum ipc_result dispatch_take_messages(struct worker_process *w, unsigned max);

#endif
