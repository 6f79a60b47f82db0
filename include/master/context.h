/* master_internal.h: the one context of the master process, for master.c, frames.c, reload.c, status.c. */
#ifndef FIREHOSED_MASTER_CONTEXT_H
#define FIREHOSED_MASTER_CONTEXT_H

#include <event2/dns.h>
#include <event2/event.h>
#include <jansson.h>
#include <sys/queue.h>

#include "base/config.h"
#include "ipc/counters.h"
#include "base/log.h"
#include "control/control.h"
#include "master/dashboard.h"
#include "master/filter.h"
#include "stats/health.h"
#include "http/http.h"
#include "stats/traffic.h"
#include "ring/ledger.h"
#include "pool/pool.h"
#include "relay/relay.h"
#include "relay/start_search.h"
#include "relay/dedup.h"
#include "relay/relay_list.h"
#include "store/store.h"
#include "net/connect.h"

enum { SIGNALS = 5 };

/*                                    RESETTING (another sequence, relay or cursor: what is in hand is written first)
 *                                        ▲ │
 *                                        │ ▼
 * STARTING ──slots taken, cursor read──▶ RUNNING ──SIGTERM──▶ STOPPING (relay closed, workers finish, cursor saved)
 *                                        │ ▲                       └──▶ end
 *                         Redis lost data▼ │begun again at the cursor that Redis still has
 *                                    REWINDING */
enum master_state { MASTER_STARTING, MASTER_RUNNING, MASTER_REWINDING, MASTER_RESETTING, MASTER_STOPPING };

struct master {
    enum master_state state;
    struct config *config;  /* its address never changes: a reload changes what is inside */
    struct config *loading; /* read at SIGHUP, its dids_file is being read; or NULL */
    struct config *pending; /* to be taken over when the workers have left; or NULL */
    const char *config_file;

    struct event_base *base;
    struct evdns_base *dns;
    struct event *signals[SIGNALS];
    struct event *second, *save, *give_up, *change_relay;

    struct ledger *ledger;
    struct counters *counters;
    struct known_marks *known;
    struct relay *relay;
    struct pool *pool;
    struct filter *filter;
    struct store *store;
    struct dashboard *dashboard;
    struct control *control;
    struct traffic *traffic;
    struct health health;
    struct http *http; /* NULL: no http_listen */

    /* The sequence of the relay. */
    bool has_last_seq; /* what to ask for on connecting */
    int64_t last_seq;  /* the newest that was taken from the relay, or the cursor that was loaded */
    bool asks_oldest;  /* cursor=0 */
    bool is_first;     /* the next event is the first of its connection */
    bool has_first;    /* first_cursor: in front of the first event of this sequence, until one is saved */
    int64_t first_cursor;
    bool has_began; /* began: the cursor at which this process began to read this sequence */
    int64_t began;
    uint64_t resets;
    uint64_t held_id; /* the newest record, whose seq is implausibly far above the last; 0: none */
    struct frame_peek held;
    bool held_is_wanted, held_is_seen; /* not by the filter; or another relay has sent it before */
    uint64_t rogues;     /* such as were none of the sequence */
    size_t behind_run;   /* messages in a row that were not above the last seq */
    bool has_new_cursor; /* new_cursor: what RESETTING is for, where an operator has set it; else a new sequence */
    int64_t new_cursor;

    /* The relays, where there are several (relays.c). */
    struct relay_list relays;
    struct relay_list new_relays; /* of a reload, to be taken over */
    bool has_new_relays;
    bool is_changing_relay; /* what RESETTING is for */
    unsigned next_relay;
    bool next_is_try;
    struct start_search search;
    struct dedup *dedup; /* NULL: there is one relay only */
    int64_t wanted_us; /* time of the last event that is written; 0: not known */
    int64_t relay_changed_ms;
    uint64_t relay_changes;
    struct connect_attempt *probe; /* whether the first relay answers again; or NULL */

    /* The operator. */
    bool is_paused; /* the relay is not to be read */
    LIST_HEAD(, tail) tails;      /* who watches events as they pass */
    LIST_HEAD(, deferred) deferred; /* calls that are answered when something is so */
    struct error reload_trouble; /* of the last reload; "" when it went well */
    json_t *reload_changes;

    /* Figures. */
    int64_t started_ms;
    int64_t watchdog_told_ms, status_told_ms; /* to the service manager */
    uint64_t received;                    /* frames of events, with those that came twice */
    uint64_t own_filtered, own_duplicate; /* the master's share of the balance */
    bool wants_time;                      /* of the next frame that is filtered: once a second */
    int64_t filtered_lag_us, filtered_at_us; /* how old it was, and when that was, since 1970; 0: never */
    uint64_t infos, errors;
    uint64_t done; /* frames that are committed */
    uint64_t reported_done;
    int64_t reported_ms;
    int64_t saved_cursor;
    bool has_saved_cursor;
    bool cursor_is_void; /* at the end: it is not ours to save, or not true any more */
    struct owner_token owner; /* the newest that was given out */
    uint64_t rewinds;
    struct letter_request *errand; /* the dead letter that is being tried again; or NULL */
    uint64_t errands;
    bool workers_left;
    int exit_status;
    struct log_throttle strange;
};

/* sequence.c; those with a `void *arg` are hooks of the store, arg is the master. */
void sequence_save(struct master *m);
void sequence_began_at(struct master *m, int64_t cursor);
void sequence_begun(void *arg, struct optional cursor);
bool sequence_may_drop(void *arg);
void sequence_saved(void *arg, int64_t cursor);
void sequence_rewind(struct master *m);            /* Redis has lost what was committed */
void sequence_forget_seen(struct master *m); /* Redis has lost data */
void sequence_rewind_when_quiet(struct master *m); /* relay or workers have gone: if both have, it goes on */
void sequence_reset_when_quiet(struct master *m);  /* the same, and what was in hand is written */

/* Whose cursor and marks are meant: those of the relay that is read. */
struct store_keys master_store_keys(const struct master *m);

void master_end_loop(struct master *m);

/* While a message is judged, the message hook returns the wish; else the relay carries it out at once. */
void master_reconnect_relay(struct master *m, const char *why, bool at_once);
void master_stop_relay(struct master *m);

/* The cursor, as it is saved and as it is shown, everywhere: the tail of the ring, or where nothing of this sequence
 * was committed yet, what it was begun at. False: nothing is known. */
bool master_cursor(const struct master *m, int64_t *cursor);

/* Stops reading, finishes what is in hand, saves the cursor, and ends the loop. `why` goes to the log. */
void master_stop(struct master *m, const char *why);

/* While paused and with nothing in hand: cursor and marks are set, so that reading goes on behind `cursor`; below 0:
 * both are deleted, and it goes on with live events. */
void master_set_cursor(struct master *m, int64_t cursor);

/* frames.c: what is done with a message of the relay. */
/* Forgets a frame that is held: it will be asked for again. */
void frames_drop_held(struct master *m);

bool frames_take(struct master *m, const uint8_t *frame, size_t offset, size_t len, size_t consumed);

/* relays.c */
bool failover_set_up(struct master *m, struct error *why);
bool failover_make_dedup(struct master *m, struct error *why); /* makes room for what was seen, where there are several */
void failover_on_failed(struct master *m, bool healthy);
void failover_on_due(evutil_socket_t fd, short what, void *arg);
void failover_switch(struct master *m);                                /* nothing is in hand any more */
void failover_switched(struct master *m, bool found, int64_t cursor); /* its cursor was read */
void failover_tick(struct master *m);
enum search_verdict {
    SEARCH_TAKE,
    SEARCH_SKIP,  /* it does not help: look at the next one */
    SEARCH_RECONNECT, /* it is not here: connect again */
};
/* The first event of a connection while the place to begin at is looked for. */
enum search_verdict failover_search(struct master *m, const struct frame_peek *peek, const uint8_t *frame, size_t len);
bool failover_is_duplicate(const struct master *m, const struct frame_peek *peek);
void failover_note_taken(struct master *m, const struct frame_peek *peek);
/* The list has changed. False: what is to be read is another relay's sequence; the new list is taken over when what is
 * in hand is written: by failover_change_list(), or by a reset, which calls failover_take_new_list(). */
bool failover_reload(struct master *m);
void failover_take_new_list(struct master *m);
void failover_change_list(struct master *m);
json_t *relays_json(const struct master *m);

/* The relay's sequence is another one from here on: what is in hand is written, and reading begins anew. */
void master_reset_sequence(struct master *m, bool from_oldest);

/* In front of the first event of a sequence: its cursor is saved before anything is written, so that a start
 * after a crash knows where this one began. */
void master_begin_sequence(struct master *m, int64_t cursor);

/* reload.c */
void reload_begin(struct master *m);
void reload_accept(struct master *m, const struct error *failure); /* its dids_file was read, or not */
void reload_apply(struct master *m);  /* what was read, as soon as it can be */
void reload_finish(struct master *m); /* the workers have left */

/* commands.c: a request over the control socket; arg is the master. */
void commands_take(void *arg, struct control_call *call);
/* sample.c */
void sample_second(struct master *m); /* what the rooms have counted goes to the figures and to the health */
void sample_health(const struct master *m, struct health_sample *s);

/* metrics.c: all figures in Prometheus' text format. */
void metrics_write(const struct master *m, struct buffer *out);

/* endpoints.c: what there is to be read over HTTP. False: *why. */
bool endpoints_open(struct master *m, struct error *why);

/* service.c: for the service manager. service_tick() is called each second. */
void service_started(void);
void service_tick(struct master *m);
void service_stopping(void);

/* status.c */
const char *master_state_name(const struct master *m); /* "starting", "running", "paused", … */
json_t *status_json(struct master *m);

#endif
