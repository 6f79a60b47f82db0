/* pool.h: the workers: forking, feeding, acking, replacing them.
 *
 *   RUNNING ──exit──▶ GONE ──(at once; with back-off if it keeps dying)──▶ RUNNING
 *      └──pool_drain()──▶ DRAINING ──exit 0──▶ GONE … all gone ──▶ hooks.drained
 *
 * A worker that dies loses nothing: what it had not acked is still in the ledger and is sent to its successor. */
#ifndef FIREHOSED_POOL_POOL_H
#define FIREHOSED_POOL_POOL_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "ipc/channel.h"
#include "ipc/counters.h"
#include "pool/hooks.h"
#include "redis/progress.h"
#include "ring/ledger.h"

struct pool;

/* *owner is the newest token that was given out: each worker gets the next generation. Nothing is forked before
 * pool_start(). Returns NULL if memory is short. */
struct pool *pool_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                      struct counters *counters, struct known_marks *known, const struct config *config,
                      struct owner_token *owner, pool_child_main *child_main, const struct pool_hooks *hooks);
void pool_free(struct pool *p);

/* Forks `workers` workers; the ledger must be routed for that number. progress_key: of the relay that is read; it stays
 * the caller's until the workers have left. */
void pool_start(struct pool *p, unsigned workers, const char *progress_key);

/* While held, the pool dispatches nothing: frames wait in the ledger. */
void pool_hold(struct pool *p, bool is_held);

/* Dispatches what the ledger has for the workers. */
void pool_feed(struct pool *p);

/* Lets the workers finish and leave; hooks.drained follows. everything: they finish the whole ledger first; else only
 * the frames in their channels, and the rest stays in the ledger for their successors. */
void pool_drain(struct pool *p, bool everything);
bool pool_is_draining(const struct pool *p);
bool pool_is_gone(const struct pool *p); /* no worker is there, or about to be started */

/* One worker finishes the frames in its channel and leaves; then its successor starts. The others go on. */
void pool_restart(struct pool *p, unsigned index);

/* Kills all workers, for an end that does not wait any longer. */
void pool_kill(struct pool *p);

/* Has a worker try the frame of a dead letter (its entry's id) again; the descriptor is of a file with the frame.
 * Returns false if the worker is not there or busy with another one; else hooks.retried says how it ended, with the
 * number. */
bool pool_retry(struct pool *p, unsigned index, int fd, uint64_t number, unsigned kind, const char *entry);

/* Kills all workers, to begin anew; hooks.drained follows. */
void pool_abandon(struct pool *p);

/* A child of the master has ended, with a status of waitpid(). Returns true if it was a worker. */
bool pool_reap(struct pool *p, pid_t pid, int status);

/* Once a second: kills workers that show no sign of life, and dispatches what the kernel had no memory for before. */
void pool_check(struct pool *p);

/* Sends one worker a message, with a descriptor unless fd is -1; the descriptor stays the caller's. A worker that is
 * not there, or does not listen, misses it. */
void pool_tell(struct pool *p, unsigned index, const struct ipc_message *m, int fd);

/* Tells all workers (broadcast.c). */
void pool_set_log_level(struct pool *p, int level);

struct pool_worker_status {
    pid_t pid; /* 0: it is not there at the moment */
    uint64_t restarts;
    bool is_draining;
    bool keeps_dying;      /* it died several times in a row, and has not been well since */
    int64_t restart_in_ms; /* without a worker: until the next one starts */
};
unsigned pool_size(const struct pool *p);
void pool_worker_status(const struct pool *p, unsigned index, struct pool_worker_status *out);

#endif
