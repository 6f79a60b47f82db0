/* store.h: the master's own connection to Redis: the cursor, and the keys that dashboards read.
 *
 *   OFFLINE ──timer──▶ CONNECTING ─▶ LOGIN ─▶ READY ──any failure──▶ OFFLINE
 *
 * Nothing here is on the way of an event. While Redis does not answer, periodic writes are left out, not queued. */
#ifndef FIREHOSED_STORE_STORE_H
#define FIREHOSED_STORE_STORE_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/optional.h"
#include "redis/progress.h"

struct store;

/* Whose cursor and marks are meant: the keys that they are saved in, and the relay's host name, which is saved with
 * them. The texts stay the caller's, until the next store_begin…() with others; what they say may change. */
struct store_keys {
    const char *cursor, *progress, *relay;
};

struct store_hooks {
    void *arg;
    /* store_begin() is through: every slot is ours, and this is where to read on: unknown where no cursor is saved that
     * means anything to this relay. */
    void (*begun)(void *arg, struct optional cursor);
    /* What is saved belongs to another relay: may it be dropped? False: nothing is changed, and begun() never comes. */
    bool (*may_drop)(void *arg);
    /* store_take_slots() is through. */
    void (*slots_taken)(void *arg);
    /* Another firehosed owns the slots. */
    void (*taken_over)(void *arg);
    /* On connecting again, Redis was found to be older than what was saved in it. */
    void (*data_lost)(void *arg);
    /* The cursor given to store_save_cursor() is in Redis. */
    void (*cursor_saved)(void *arg, int64_t cursor);
};

/* *owner is the newest token that was given out. *known: what the workers have committed for certain; set to the marks
 * that reading begins at, so that a worker that first sees them when Redis has lost data notices. */
struct store *store_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                        struct owner_token *owner, struct known_marks *known, const struct store_hooks *hooks);
void store_free(struct store *s);

/* Connects. */
void store_start(struct store *s);

/* As soon as Redis is there: takes all slots, so that no transaction of an earlier worker can succeed any
 * more, reads cursor and marks, and makes them fit each other. rewind: Redis has lost data: from its own
 * cursor on, and marks stay. */
void store_begin(struct store *s, const struct store_keys *keys, bool rewind);

/* As store_begin(), for another relay: what was saved or known of the one before is forgotten, and who has been taken
 * over meanwhile is told so instead of taking the slots back. */
void store_begin_relay(struct store *s, const struct store_keys *keys);

/* As soon as Redis is there: takes all slots, and deletes the marks: they belong to a sequence that has ended. The
 * cursor is deleted too, or, from_oldest, becomes 0: so that a start after a crash does not skip what is new. */
void store_begin_anew(struct store *s, const struct store_keys *keys, bool from_oldest);

/* As soon as Redis is there: takes all slots, writes this cursor, and lowers the marks that are above it. */
void store_begin_at(struct store *s, const struct store_keys *keys, int64_t cursor);

/* As soon as Redis is there: takes all slots, for another number of workers. */
void store_take_slots(struct store *s);

/* The configuration of Redis changed: connects anew. */
void store_restart(struct store *s);

/* Asks whether the slots are still ours: hooks.taken_over is called if not. */
void store_check_owner(struct store *s);

/* A command of somebody else, as RESP. on_reply is called once: with the answer, or with NULL when the connection is
 * lost. False: Redis is not there, on_reply is not called. */
typedef void store_reply(void *arg, const redisReply *reply);
bool store_call(struct store *s, const struct buffer *resp, store_reply *on_reply, void *arg);
void store_forget_calls(struct store *s); /* as if the connection were lost; s may be NULL */

bool store_is_ready(const struct store *s);

/* The relay's name lay with the marks when they were last read: they were not gone altogether. */
bool store_knows_relay(const struct store *s);

/* These do nothing while Redis is away or still owes answers to earlier ones. */
void store_save_cursor(struct store *s, int64_t cursor);
bool store_is_saving(const struct store *s); /* a cursor is on its way */
void store_set(struct store *s, const char *key, const char *value, size_t len, int ttl_s);
void store_publish(struct store *s, const char *channel, const char *message, size_t len);

/* What Redis says of itself and of our streams; -1: not known (away, not allowed, not answered yet). */
struct store_figures {
    int64_t used_memory, max_memory;            /* bytes; max_memory 0: no limit */
    int64_t stream_length, dead_letters_length; /* entries */
};

/* Once a second: asks every fifth time, and at once on a new connection. What a user of Redis may not ask is not asked
 * again on that connection. */
void store_ask_figures(struct store *s);
const struct store_figures *store_figures(const struct store *s);

/* "ready", "connecting", …, and why it is not ready ("" when it is). */
const char *store_state_name(const struct store *s);
const char *store_trouble(const struct store *s);

#endif
