/* relays.h: the relays of the configuration, in their order of preference: which one is read, and when it is
 * given up. Pure: no clock, no I/O.
 *
 *   the first ──relay_attempts failures in a row──▶ the next ──…──▶ the last ──…──▶ the first again
 *       ▲──────────── relay_failback later, if it answers ───────────────┘
 *
 * Each relay numbers events in a sequence of its own, so each has a cursor and marks of its own in Redis.
 * Those of the first lie under the configured names, where the service before this one had its cursor; the
 * others' have the relay's name behind. */
#ifndef FIREHOSED_RELAY_RELAY_LIST_H
#define FIREHOSED_RELAY_RELAY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "net/url.h"

enum { RELAY_LIST_MAX = 8, RELAY_KEY_BYTES = 640 };

struct relay_entry {
    struct url url;
    char name[URL_HOST_BYTES + 8]; /* host, with the port where that is not the usual one */
    char cursor_key[RELAY_KEY_BYTES], progress_key[RELAY_KEY_BYTES];
    uint32_t id;       /* stays the same when the list is changed */
    unsigned failures; /* in a row */
};

struct relay_list {
    struct relay_entry list[RELAY_LIST_MAX];
    unsigned count, current;
    unsigned returning_from; /* while the first is tried again: where to go back to if it fails; else 0 */
    int64_t failback_ms;     /* until it is tried; doubles with each try in vain */
};

/* Reads config->relay: URLs, separated by commas or white space, the first of them current. False: *why,
 * without the key. */
bool relay_list_init(struct relay_list *s, const struct config *config, struct error *why);

/* Another configuration, in which the current one is still there, in the same place: it stays current, with
 * its failures. False, and nothing is changed: it is not, and whatever is read instead is another sequence.
 */
bool relay_list_replace(struct relay_list *s, const struct relay_list *fresh);

static inline const struct relay_entry *relay_list_current(const struct relay_list *s)
{
    return &s->list[s->current];
}

/* An attempt has failed, or a connection has ended that was not healthy. True: it is time for relay_list_next()
 * this one. */
bool relay_list_failed(struct relay_list *s, const struct config *config);

/* Which one comes next: where it came from when this was only a try, else the next in the list. */
unsigned relay_list_next(const struct relay_list *s);

/* The connection has proved healthy. */
void relay_list_healthy(struct relay_list *s, const struct config *config);

/* From now on that one is read. is_try: it is the first, and a single failure means back to where it was. */
void relay_list_select(struct relay_list *s, unsigned index, bool is_try);

#endif
