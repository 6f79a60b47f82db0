/* worker_process.h: one worker as the master sees it, and the pool that it belongs to. */
#ifndef FIREHOSED_POOL_WORKER_PROCESS_H
#define FIREHOSED_POOL_WORKER_PROCESS_H

#include <event2/dns.h>
#include <event2/event.h>

#include "base/config.h"
#include "ipc/channel.h"
#include "ipc/counters.h"
#include "pool/hooks.h"
#include "redis/address.h"
#include "ring/ledger.h"

enum drain {
    DRAIN_NONE,
    DRAIN_SENT,       /* workers finish the frames in their channels, and leave */
    DRAIN_EVERYTHING, /* workers finish the whole ledger, and leave */
};

struct worker_process {
    struct pool *pool;
    unsigned index;
    pid_t pid; /* 0: none */
    struct channel channel;
    struct event *writable, *readable, *respawn;
    struct event *lines; /* of its log */
    struct worker_slot *slot;
    size_t partial;   /* bytes of the next unsent record's reference that are in the channel already */
    bool is_draining; /* it gets nothing new, and its side is shut as soon as that is possible */
    bool is_shut;
    uint64_t retry; /* number of the dead letter that it tries again; 0: none */
    bool is_killed;    /* by pool_kill() */
    bool was_hung;     /* killed by pool_check(): it gave no sign of life */
    int64_t started_ms, backoff_ms;
    int64_t pinged_ms; /* since when a ping that it has not answered waits or is sent; 0: it has answered */
    bool has_ping;     /* that ping is sent: its channel had room */
    int64_t respawn_ms; /* without a process: when the next one starts */
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
    int64_t drain_ms; /* when the drain began */
    bool has_told_drained; /* hooks.drained was called for this drain */
    bool is_held; /* nothing is dispatched */
    unsigned condemned; /* frames condemned since the last one that was written */
};

#endif
