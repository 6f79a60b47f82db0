/* store_internal.h: what store.c (connection, writes) and store_begin.c (owner, cursor, marks) share. */
#ifndef FIREHOSED_STORE_STORE_INTERNAL_H
#define FIREHOSED_STORE_STORE_INTERNAL_H

#include "base/log.h"
#include "store/store.h"
#include "redis/client.h"

enum store_state { STORE_OFFLINE, STORE_CONNECTING, STORE_LOGIN, STORE_READY };

/* What an answer will be to. */
enum purpose {
    FOR_NOTHING, /* an OK or QUEUED on the way; an error is reported */
    FOR_DASHBOARD,
    FOR_CURSOR_SAVE,
    FOR_GUARD, /* in front of it: may it be written */
    FOR_OWNER,
    FOR_EPOCH,
    FOR_SLOTS,
    FOR_TYPE,
    FOR_CURSOR,
    FOR_COPY,
    FOR_MARKS,
    FOR_FIT,
    FOR_VERIFY,
    FOR_VERIFY_MARKS,
    FOR_CALL,
    FOR_MEMORY,
    FOR_STREAM_LENGTH,
    FOR_DEAD_LETTERS_LENGTH,
};

struct pending {
    enum purpose purpose;
    int64_t cursor;
    store_reply *on_reply; /* FOR_CALL */
    void *arg;
};

enum { PENDING_MAX = 256 /* answers owed. When half are owed, dashboards wait */ };

enum begin { BEGIN_NOTHING, BEGIN_FIRST, BEGIN_RELAY, BEGIN_REWIND, BEGIN_ANEW, BEGIN_AT, BEGIN_SLOTS };

struct store {
    enum store_state state;
    struct event_base *base;
    struct evdns_base *dns;
    const struct config *config;
    struct store_keys keys;
    struct owner_token *owner;
    struct known_marks *known;
    struct store_hooks hooks;
    struct redis_address address;
    struct redis_dial dial;
    struct redis_client *client;
    struct event *readable, *writable, *timer;
    struct pending pending[PENDING_MAX];
    size_t first, count;
    int64_t asked_ms; /* when the oldest answer that is owed was asked for */
    int64_t backoff_ms;
    bool is_lost; /* the connection, or what it was made for, and not come back yet */
    struct error trouble;
    struct log_throttle throttle;

    /* store_begin.c */
    enum begin wanted; /* what is to be done, or done again if the connection breaks on the way */
    bool from_oldest;  /* BEGIN_ANEW: the cursor becomes 0 */
    int64_t at;        /* BEGIN_AT: the cursor to write */
    bool has_begun;    /* once: from then on a new connection is verified first */
    bool is_verified;  /* on this connection: the cursor may be saved */
    bool has_saved;    /* saved: what was saved last, or loaded */
    int64_t saved;
    bool has_copy; /* copy: the cursor that lay with the marks when this connection was made */
    int64_t copy;
    bool has_cursor; /* what store_begin() has read so far */
    int64_t cursor;
    bool same_relay, knows_relay;
    struct marks marks;
    struct marks known_before; /* what was known to be in Redis when its marks were asked for */
    bool stream_is_gone;       /* another type of key stands in its place */

    /* store_figures.c */
    struct store_figures figures;
    bool may_not_info, may_not_xlen; /* on this connection */
    int figures_wait;                /* calls to let pass before it is asked again */
};

/* store.c */
void store_expect(struct store *s, enum purpose purpose, int64_t cursor);
void store_lose(struct store *s, const char *why);

bool store_may_ask(const struct store *s);

/* store_figures.c */
void store_figures_forget(struct store *s); /* the connection is gone, or another one */
void store_figures_on_reply(struct store *s, enum purpose purpose, const redisReply *reply);

/* store_owner.c */
void store_watch_owner(struct store *s);                           /* the next transaction fails if it changes */
void store_take_all(struct store *s);                              /* answered by FOR_EPOCH, then FOR_SLOTS */
void store_on_epoch(struct store *s, const redisReply *reply);     /* takes the slots */
void store_guard_cursor(struct store *s, int64_t cursor);          /* answered by FOR_GUARD */
bool store_is_owner(struct store *s, const redisReply *reply);     /* FOR_GUARD, FOR_OWNER; else the hooks are told */
void store_write_cursor(struct store *s, int64_t cursor);          /* under the guard */

/* store_begin.c */
void store_begin_connected(struct store *s); /* the connection is ready */
void store_note_run(struct store *s);        /* with the cursor: which run of Redis has a sound log, if that is known */
void store_begin_on_reply(struct store *s, enum purpose purpose, const redisReply *reply);

#endif
