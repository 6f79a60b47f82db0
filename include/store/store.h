/* store.h: the master's own connection to Redis: the cursor, and the keys that dashboards read.
 *
 * The store room: fencing, the saved cursor and the marks, as the master needs them. It knows Redis, and nothing of the
 * relay, of workers or of frames; no event passes through it. While Redis does not answer, periodic writes are left
 * out, not queued. */
#ifndef FIREHOSED_STORE_STORE_H
#define FIREHOSED_STORE_STORE_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/config.h"
#include "base/optional.h"
#include "redis/progress.h"
#include "store/hooks.h"
#include "store/usage.h"

struct store;

/* *owner is the newest token that was given out. *known: what the workers have committed for certain; the store sets it
 * to the marks that reading begins at, so that a worker that first sees them when Redis has lost data notices. Returns
 * NULL if memory is short. */
struct store *store_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                        struct owner_token *owner, struct known_marks *known, const struct store_hooks *hooks);
void store_free(struct store *s); /* NULL is allowed */

/* Connects; or connects anew, as the configuration of Redis has changed. */
void store_start(struct store *s);
void store_restart(struct store *s);

/* As soon as Redis is there: takes all slots, so that no transaction of an earlier worker can succeed any more, reads
 * cursor and marks, and makes them fit each other. rewind: Redis has lost data; reading continues at its own cursor,
 * and the marks stay. If Redis has lost the last store_begin…() as well, that is repeated instead. */
void store_begin(struct store *s, const struct store_keys *keys, bool rewind);

/* The same for another relay: forgets what was saved or known of the one before. If another firehosed has taken over
 * meanwhile, hooks.taken_over says so, and the slots are not taken back. */
void store_begin_relay(struct store *s, const struct store_keys *keys);

/* The same for a sequence that has ended: deletes its marks. The cursor is deleted too or, from_oldest, becomes 0, so
 * that a start after a crash does not skip new events. */
void store_begin_anew(struct store *s, const struct store_keys *keys, bool from_oldest);

/* The same at another cursor: writes it, and lowers the marks that are above it. */
void store_begin_at(struct store *s, const struct store_keys *keys, int64_t cursor);

/* As soon as Redis is there: takes all slots, for another number of workers. */
void store_take_slots(struct store *s);
bool store_is_taking_slots(const struct store *s); /* until the slots_taken hook */

/* True if the service before firehosed has left this event in the stream: it is not to be written again. */
bool store_has_inherited(const struct store *s, int64_t seq);

/* True if the relay's name lay with the marks when they were last read: the progress key was not gone altogether. */
bool store_knows_relay(const struct store *s);

/* Saves the cursor, and calls hooks.cursor_saved. Does nothing while Redis is away, or owes the answer to a save. */
void store_save_cursor(struct store *s, int64_t cursor);
bool store_is_saving(const struct store *s); /* a cursor is in flight */

/* Asks whether the slots are still ours: hooks.taken_over is called if not. */
void store_check_owner(struct store *s);

/* Sends a command of another room, as RESP. on_reply is called once: with the answer, or with NULL if the connection is
 * lost. Returns false if Redis is away: then on_reply is not called. */
bool store_call(struct store *s, const struct buffer *resp, store_reply *on_reply, void *arg);
void store_forget_calls(struct store *s); /* as if the connection were lost; NULL is allowed */

/* These do nothing while Redis is away or owes many answers; store_set() neither before the store has begun: the key
 * may be the one by which another service says that it still writes. */
void store_set(struct store *s, const char *key, const char *value, size_t len, int ttl_s);
void store_publish(struct store *s, const char *channel, const char *message, size_t len);

/* To be called once a second: asks Redis about itself, and trims our streams if they fill a Redis without room
 * (stream_full). A question that Redis refuses is not asked again on that connection. */
void store_tick(struct store *s, const struct store_tally *ours);

/* What was done about a Redis without room in the last minutes, or why nothing was; "" if it has room. */
const char *store_memory_note(const struct store *s);
uint64_t store_trimmed(const struct store *s); /* entries, to make room */
uint64_t store_foreign_entries(const struct store *s); /* entries of the stream that another writer added */
const struct store_usage *store_usage(const struct store *s);

bool store_is_ready(const struct store *s);
const char *store_state_name(const struct store *s); /* "ready", "connecting", … */
const char *store_trouble(const struct store *s);    /* why it is not ready; "" when it is */

#endif
