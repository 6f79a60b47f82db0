/* pool_internal.h: one worker as the master sees it; shared by pool.c, feeder.c and dialer.c. */
#ifndef FIREHOSED_POOL_POOL_INTERNAL_H
#define FIREHOSED_POOL_POOL_INTERNAL_H

#include "ipc/channel.h"
#include "pool/pool.h"
#include "redis/address.h"

enum drain { DRAIN_NONE, DRAIN_SENT, DRAIN_EVERYTHING };

struct worker_process {
    struct pool *pool;
    unsigned index;
    pid_t pid; /* 0: none */
    struct channel channel;
    struct event *writable, *readable, *respawn;
    struct worker_slot *slot;
    size_t partial;   /* bytes of the next unsent record's reference that are in the channel already */
    bool is_draining; /* nothing new for it; its side is shut as soon as that is possible */
    bool is_shut;
    uint64_t retry; /* the number of a dead letter that it tries again; 0: none */
    bool is_killed;    /* by pool_kill() */
    bool was_hung;     /* the kill was ours: it gave no sign of life */
    int64_t started_ms, backoff_ms;
    int64_t respawn_ms; /* when the next one is started, where there is none */
    uint64_t restarts;
    struct redis_dial dial; /* the connection to Redis that it asked for */
};

struct pool {
    struct event_base *base;
    struct evdns_base *dns;
    struct ledger *ledger;
    const struct config *config;
    struct counters *counters;
    struct known_marks *known;
    struct owner_token *owner;
    const char *progress_key;
    pool_child_main *child_main;
    struct pool_hooks hooks;
    struct worker_process workers[WORKERS_MAX];
    unsigned size;
    enum drain drain;
    int64_t drain_ms; /* when that began */
    bool is_held; /* nothing is sent yet */
    unsigned condemned; /* frames put aside since the last one that was written */
};

/* feeder.c: frames down, acks up. */
void dispatch_send(struct worker_process *w);
void dispatch_on_writable(evutil_socket_t fd, short what, void *arg);
void dispatch_on_message(evutil_socket_t fd, short what, void *arg);
/* Takes what is there. IPC_OK: `max` were taken, there may be more. */
enum ipc_result dispatch_take_messages(struct worker_process *w, unsigned max);

/* dialer.c: connects to Redis for a worker, and passes it the descriptor. */
void dialer_start(struct worker_process *w);
void dialer_cancel(struct worker_process *w);

#endif
