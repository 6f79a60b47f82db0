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
#include "redis/progress.h"
#include "ring/ledger.h"
#include "worker/worker.h"

/* What a forked child does: it does not return. It is worker_run(), handed in, so that the master does not link to it. */
typedef void pool_child_main(const struct worker_setup *setup);

struct pool_hooks {
    void *arg;
    void (*committed)(void *arg, size_t frames); /* the ledger's tail may have moved */
    void (*started)(void *arg, unsigned index);  /* a worker was forked, and can be told things */
    void (*drained)(void *arg);                  /* every worker has left after pool_drain() */
    void (*taken_over)(void *arg);               /* a worker found that another firehosed owns its slot */
    void (*retried)(void *arg, uint64_t number, bool ok, const char *why); /* what pool_retry() has led to */
    void (*marks_lost)(void *arg);               /* a worker found that Redis has lost what was committed */
};

struct pool;

/* NULL: no memory. Nothing is forked before pool_start(). *owner is the newest token that was given out: each
 * worker gets the next generation. */
struct pool *pool_new(struct event_base *base, struct evdns_base *dns, struct ledger *ledger,
                      struct counters *counters, struct known_marks *known, const struct config *config,
                      struct owner_token *owner, pool_child_main *child_main, const struct pool_hooks *hooks);
void pool_free(struct pool *p);

/* Forks `workers` workers; the ledger must be routed for that number. progress_key: of the relay that is read; it stays
 * the caller's, until the workers have left. */
void pool_start(struct pool *p, unsigned workers, const char *progress_key);

/* While held, nothing is sent to workers; what the ledger has waits. */
void pool_hold(struct pool *p, bool is_held);

/* Sends on what the ledger has for the workers. */
void pool_feed(struct pool *p);

/* Lets the workers finish and leave. everything: all that is in the ledger first; else only what is in their
 * channels already, and the rest stays in the ledger for their successors. */
void pool_drain(struct pool *p, bool everything);
bool pool_is_draining(const struct pool *p);
bool pool_is_gone(const struct pool *p); /* no worker is there */

/* One worker finishes what is in its channel and leaves; its successor is started then. The others go on. */
void pool_restart(struct pool *p, unsigned index);

/* Kills those that are still there, for an end that does not wait any longer. */
void pool_kill(struct pool *p);

/* Has a worker try the frame of a dead letter (its entry's id) again; the descriptor is of a file with it. False: it is
 * not there. Else hooks.retried tells how it ended, with the number. */
bool pool_retry(struct pool *p, unsigned index, int fd, uint64_t number, unsigned kind, const char *entry);

/* Kills all, to begin anew: hooks.drained when they are gone. */
void pool_abandon(struct pool *p);

/* A child of the master has ended, with a status of waitpid(): true if it was a worker. */
bool pool_reap(struct pool *p, pid_t pid, int status);

/* Once a second: kills workers that show no sign of life, and sends again what the kernel had no memory for. */
void pool_check(struct pool *p);

/* Sends one worker a message, with a descriptor unless fd is -1 (the caller's still). One that is not there, or does
 * not listen, misses it. */
void pool_tell(struct pool *p, unsigned index, const struct ipc_message *m, int fd);

/* Tells all workers. */
void pool_set_log_level(struct pool *p, int level);
void pool_set_log_format(struct pool *p, int format);
void pool_reopen_log(struct pool *p);

struct pool_worker_status {
    pid_t pid; /* 0: not there at the moment */
    uint64_t restarts;
    bool is_draining;
    bool keeps_dying;      /* it was restarted several times in a row, and has not been well since */
    int64_t restart_in_ms; /* where there is none: until the next one is started */
};
unsigned pool_size(const struct pool *p);
void pool_worker_status(const struct pool *p, unsigned index, struct pool_worker_status *out);

#endif
