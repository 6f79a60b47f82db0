/* relay_list.h: the relays of the configuration in their order of preference: which one is read, and when it is given
 * up. Pure: no clock, no I/O.
 *
 *   the first ──relay_attempts failures in a row──▶ the next ──…──▶ the last ──…──▶ the first again
 *       ▲──────────── relay_failback later, if it answers ───────────────┘
 *
 * Each relay numbers events in a sequence of its own, so each has a cursor and marks of its own in Redis. The first
 * relay keeps them under the configured keys, the others under these keys with the relay's name behind. */
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
    char name[URL_HOST_BYTES + 8]; /* the host, with the port unless that is the usual one */
    char cursor_key[RELAY_KEY_BYTES], progress_key[RELAY_KEY_BYTES];
    uint32_t id;       /* of the name: it stays the same when the list changes */
    unsigned failures;     /* in a row */
    int64_t rests_until_ms; /* it has asked to be left alone until then, on the monotonic clock */
};

struct relay_list {
    struct relay_entry list[RELAY_LIST_MAX];
    unsigned count, current;
    unsigned returning_from; /* while the first is tried again: where to go back to if it fails; else 0 */
    int64_t failback_ms;     /* until the first is tried; each try in vain doubles it */
};

/* Reads config->relay: URLs, separated by commas or white space. The first becomes the current one. Returns false and
 * fills *why, without the key's name, if the list is wrong. */
bool relay_list_init(struct relay_list *l, const struct config *config, struct error *why);

/* Takes over another configuration's list if it has the current relay in the same place: that one stays current, with
 * its failures. Returns false and changes nothing if it has not: then whatever is read instead is another sequence. */
bool relay_list_replace(struct relay_list *l, const struct relay_list *fresh);

static inline const struct relay_entry *relay_list_current(const struct relay_list *l) { return &l->list[l->current]; }

/* An attempt has failed, or a connection that was not healthy has ended. Returns true if it is time for
 * relay_list_next(). */
bool relay_list_failed(struct relay_list *l, const struct config *config);

/* The current relay asks to be left alone until then. */
static inline void relay_list_rest(struct relay_list *l, int64_t until_ms)
{
    l->list[l->current].rests_until_ms = until_ms;
}

/* The relay to read instead: the one before if the current one is only tried, else the next in the list. A relay that
 * asks to be left alone is passed over. Returns the current one if no other is left. */
unsigned relay_list_next(const struct relay_list *l, int64_t now_ms);

/* The connection to the current relay has proved healthy. */
void relay_list_healthy(struct relay_list *l, const struct config *config);

/* That relay is read from now on. is_try: it is the first, and a single failure leads back to the relay before. */
void relay_list_select(struct relay_list *l, unsigned index, bool is_try);

#endif
