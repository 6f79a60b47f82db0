/* context.h: the one context of the master process. It holds the parts; each part is written by one file only, which is
 * named beside it. */
#ifndef FIREHOSED_MASTER_CONTEXT_H
#define FIREHOSED_MASTER_CONTEXT_H

#include <event2/event.h>
#include <jansson.h>
#include <sys/queue.h>

#include "base/config.h"
#include "base/log.h"
#include "control/control.h"
#include "http/http.h"
#include "ipc/counters.h"
#include "master/dashboard.h"
#include "master/filter.h"
#include "master/progress.h"
#include "relay/sequence.h"
#include "master/service.h"
#include "net/resolver.h"
#include "pool/pool.h"
#include "relay/failover.h"
#include "relay/relay.h"
#include "ring/ledger.h"
#include "stats/health.h"
#include "stats/traffic.h"
#include "store/store.h"

/*                                    RESETTING (another sequence, relay or cursor: what is in hand is written first)
 *                                        ▲ │
 *                                        │ ▼
 * STARTING ──slots taken, cursor read──▶ RUNNING ──SIGTERM──▶ STOPPING (relay closed, workers finish, cursor saved)
 *                                        │ ▲                       └──▶ end
 *                         Redis lost data▼ │begun again at the cursor that Redis still has
 *                                    REWINDING */
enum master_state { MASTER_STARTING, MASTER_RUNNING, MASTER_REWINDING, MASTER_RESETTING, MASTER_STOPPING };

/* What RESETTING is for. */
enum reset_goal {
    RESET_SEQUENCE, /* the relay's sequence has begun anew */
    RESET_CURSOR,   /* an operator has set the cursor */
    RESET_RELAY,    /* another relay is to be read */
};

/* transitions.c */
struct course {
    enum master_state state;
    enum reset_goal goal;
    bool discards;          /* RESETTING: what is in hand is not written: it is read again later */
    struct optional cursor; /* RESET_CURSOR: where to go on; unknown: with live events */
    struct failover_wish wish; /* RESET_RELAY: which one */
    bool is_paused;         /* the operator does not want the relay to be read */
    bool workers_left;      /* STOPPING: nothing more will be committed */
    bool cursor_is_void;    /* STOPPING: the cursor is not ours to save, or not true any more */
    int exit_status;
    uint64_t rewinds, resets;
};

/* reload.c */
struct reload {
    struct config *loading; /* read from the file, while its dids_file is being read; or NULL */
    struct config *pending; /* to be taken over when the workers have left; or NULL */
    struct error trouble;   /* of the last reload; "" when it went well */
    json_t *changes;        /* of the last reload, for who asked */
};

/* The time of a frame in the ring, in microseconds since 1970; id 0: none. */
struct time_sample {
    uint64_t id;
    int64_t us;
};

/* ingest.c: what came from the relay, and the master's own share of the balance. */
struct intake_totals {
    uint64_t received; /* events, duplicates included; less those that are to be read again */
    uint64_t filtered, duplicate;
    uint64_t infos, errors; /* frames that are no events */
    uint64_t implausible;   /* seqs that did not belong to the sequence */
    int64_t filtered_lag_us, filtered_at_us; /* how old a filtered event was, and when that was, since 1970; 0: never */
    bool wants_time;                         /* of the next frame that is filtered: once a second */
    bool wants_taken_time;                   /* of the next frame that is taken: once a second */
    struct time_sample waiting, latest;      /* of frames that were taken: waiting is not known to be committed */
    int64_t newest_us;                       /* of the last sample that was committed; 0: never */
    struct log_throttle no_room;
    struct error reason; /* why the relay is left, for its log */
};

/* master.c */
enum { SIGNALS = 5 };
struct master_events {
    struct event *signals[SIGNALS];
    struct event *second, *save, *give_up, *change_relay;
};

/* commands/dead_letters.c: the dead letter that a worker tries again; or NULL. */
struct letter_retry {
    struct letter_request *request;
    uint64_t count;
};

struct master {
    struct course course;
    struct config *config; /* its address never changes: a reload changes what is inside */
    const char *config_file;
    struct reload reload;
    int64_t started_ms;

    struct event_base *base;
    struct resolver resolver;
    struct master_events events;

    struct ledger *ledger;
    struct counters *counters;
    struct known_marks *known;
    struct owner_token owner; /* the newest that was given out, by store and pool */
    struct relay *relay;
    struct failover *failover;
    struct sequence sequence;
    struct pool *pool;
    struct store *store;
    struct filter *filter;

    struct intake_totals totals;
    struct progress progress; /* master.c */
    struct traffic *traffic;
    struct health health;
    struct snapshot snapshot; /* report/take.c */
    struct dashboard *dashboard;
    struct service service;

    struct control *control;               /* NULL: no control_socket */
    struct http *http;                     /* NULL: no http_listen */
    LIST_HEAD(, tail) tails;               /* commands/tail.c: who watches events as they pass */
    LIST_HEAD(, deferred) deferred;        /* commands/deferred.c: calls that are answered when something is so */
    struct letter_retry retry;
};

static inline bool master_is_running(const struct master *m) { return m->course.state == MASTER_RUNNING; }

#endif
