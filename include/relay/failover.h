/* failover.h: which relay of the list is read, when another one takes its place, and what is asked for there.
 *
 *      first ──failover_on_failed(), failover_next()──▶ next ──…──▶ last ──…──▶ first
 *        ▲──────── failover_tick(): relay_failback later, if the first answers, hooks.change ────────┘
 *
 * A change of relay takes three steps, and the caller walks them. It closes the connection, and waits until all that
 * was read is in Redis. Then failover_select() makes the other relay the current one. When the other relay's cursor is
 * read from Redis, failover_begin() says what to ask for.
 *
 * Nothing is missed by that: a relay that was read before goes on at its own cursor, and for one without a cursor a
 * search finds a place that is old enough (start_search.h). Doubles are recognised by repo and rev (dedup.h). */
#ifndef FIREHOSED_RELAY_FAILOVER_H
#define FIREHOSED_RELAY_FAILOVER_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "atproto/frame.h"
#include "base/config.h"
#include "base/error.h"
#include "base/optional.h"
#include "relay/relay_list.h"

struct failover;

/* Another relay is to be read. Zeroed: no change is wanted. */
struct failover_wish {
    bool is_wanted;
    unsigned index; /* in the list; in the new list, if failover_set_list() has left one */
    bool is_try;    /* a single failure leads back to the relay before */
};

struct failover_hooks {
    void *arg;
    /* The first relay answers again. The event loop calls the hook, never a verb. The hook may ignore the wish: the
     * next one comes relay_failback later. */
    void (*change)(void *arg, struct failover_wish wish);
};

/* Reads the list from config->relay; its first entry becomes the current one. base and dns are for looking whether the
 * first relay answers. config stays the caller's, and may change inside. Returns NULL and fills *why if the list is
 * wrong or memory is short. */
struct failover *failover_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                              const struct failover_hooks *hooks, int64_t now_ms, struct error *why);
void failover_free(struct failover *f); /* NULL is allowed */

const struct relay_list *failover_list(const struct failover *f); /* in use; its address does not change */
const struct relay_entry *failover_current(const struct failover *f);
uint64_t failover_changes(const struct failover *f); /* how often failover_select() has changed the relay */

/* ---- changing ---- */

/* An attempt has failed, or the connection is lost. Returns true if the relay is to be given up: the caller asks
 * failover_next() as soon as it is out of the relay's hook. asked_ms: how long the relay asked to be left alone. A
 * relay that asks for longer than relay_backoff_max rests: it is left at once, and is not read again before that time
 * is over. If all others rest, the current one is kept, and its pause is waited out. */
bool failover_on_failed(struct failover *f, bool is_healthy, int64_t asked_ms, int64_t now_ms);

/* The relay to read instead of the current one. No change is wanted if there is no other, or if all others rest. */
struct failover_wish failover_next(const struct failover *f, int64_t now_ms);

/* Once a second. is_healthy: the current relay's connection is. may_change: the caller would carry out a wish now; then
 * failover_tick() looks whether the first relay answers, if it is time for that. */
void failover_tick(struct failover *f, int64_t now_ms, bool is_healthy, bool may_change);

/* The two decisions of failover_tick(): whether another relay than the first has been read for relay_failback while the
 * first does not rest, and after the look at the first, the wish to go back if it has answered. */
bool failover_is_due_to_return(const struct failover *f, int64_t now_ms);
struct failover_wish failover_on_probed(struct failover *f, int64_t now_ms, bool has_answered);

/* All that was read from the current relay is in Redis: the wish's relay becomes the current one, in the new list if
 * there is one. newest_us: of the newest event in Redis, microseconds since 1970; 0 if it is unknown. */
void failover_select(struct failover *f, struct failover_wish wish, int64_t newest_us, int64_t now_ms);

enum failover_start {
    FAILOVER_AT_CURSOR,   /* its own cursor */
    FAILOVER_SEARCHING,   /* failover_search_cursor(), until failover_judge() has found the place to begin at */
    FAILOVER_WITH_OLDEST, /* no cursor, and nothing was written: as config->start says */
    FAILOVER_WITH_LIVE,
};

/* What to ask the selected relay for, now that its cursor was read from Redis. */
enum failover_start failover_begin(struct failover *f, bool has_cursor);

/* ---- the search for the place to begin at ---- */

bool failover_is_searching(const struct failover *f);

/* The cursor to ask for while searching; unknown: live events. */
struct optional failover_search_cursor(const struct failover *f);

/* A connection to the current relay is up. */
void failover_on_connected(struct failover *f);

/* Why the relay is connected to again, for the log. */
const char *failover_search_says(const struct failover *f);

/* Once a second. Returns true if the search goes on with another connection: the caller connects again. */
bool failover_search_tick(struct failover *f);

enum search_verdict {
    SEARCH_TAKE,      /* no search, or this event ends it: take it */
    SEARCH_SKIP,      /* drop the event, and look at the next one */
    SEARCH_RECONNECT, /* drop the event, and connect again at failover_search_cursor() */
};

/* Judges the first events of a connection. time_us: of the event, since 1970; looked at only while searching. An event
 * that tells no time is skipped. */
enum search_verdict failover_judge(struct failover *f, const struct frame_peek *peek, struct optional time_us);

/* ---- deduplication ---- */

/* True if this commit was taken from another relay. */
bool failover_is_duplicate(const struct failover *f, const struct frame_peek *peek);

/* The event is taken from the current relay. */
void failover_note_taken(struct failover *f, const struct frame_peek *peek);

/* An operator has set the cursor: the search ends, and events that come again are to be written again. */
void failover_on_cursor_set(struct failover *f);

/* Redis has lost data: events that were taken may be gone, so none counts as a duplicate. */
void failover_forget_taken(struct failover *f);

/* ---- another list ---- */

enum failover_list_change {
    FAILOVER_SAME_SEQUENCE,  /* the new list is in use */
    FAILOVER_OTHER_SEQUENCE, /* the new list waits for failover_select() or failover_take_new_list() */
    FAILOVER_LIST_FAILED,    /* the old list stays in use: *why */
};

/* The configuration has changed. is_reading: events of the current relay may not be in Redis yet. */
enum failover_list_change failover_set_list(struct failover *f, bool is_reading, struct error *why);
const struct relay_list *failover_new_list(const struct failover *f); /* that waits; or NULL */

/* Takes the list that waits into use, if one does: all that was read from the current relay is in Redis. */
void failover_take_new_list(struct failover *f);

#endif
