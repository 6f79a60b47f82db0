/* sources.h: the relays of the configuration, in their order of preference: which one is read, and when it is
 * given up. Pure: no clock, no I/O.
 *
 *   the first ──relay_attempts failures in a row──▶ the next ──…──▶ the last ──…──▶ the first again
 *       ▲──────────── relay_failback later, if it answers ───────────────┘
 *
 * Each relay numbers events in a sequence of its own, so each has a cursor and marks of its own in Redis.
 * Those of the first lie under the configured names, where the service before this one had its cursor; the
 * others' have the relay's name behind. */
#ifndef FIREHOSED_MASTER_SOURCES_H
#define FIREHOSED_MASTER_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "net/url.h"

enum { SOURCES_MAX = 8, SOURCE_KEY_BYTES = 640 };

struct source {
    struct url url;
    char name[URL_HOST_BYTES + 8]; /* host, with the port where that is not the usual one */
    char cursor_key[SOURCE_KEY_BYTES], progress_key[SOURCE_KEY_BYTES];
    uint32_t id;       /* stays the same when the list is changed */
    unsigned failures; /* in a row */
};

struct sources {
    struct source list[SOURCES_MAX];
    unsigned count, current;
    unsigned returning_from; /* while the first is tried again: where to go back to if it fails; else 0 */
    int64_t failback_ms;     /* until it is tried; doubles with each try in vain */
};

/* Reads config->relay: URLs, separated by commas or white space, the first of them current. False: *why,
 * without the key. */
bool sources_init(struct sources *s, const struct config *config, struct error *why);

/* Another configuration, in which the current one is still there, in the same place: it stays current, with
 * its failures. False, and nothing is changed: it is not, and whatever is read instead is another sequence.
 */
bool sources_change(struct sources *s, const struct sources *fresh);

static inline const struct source *sources_current(const struct sources *s)
{
    return &s->list[s->current];
}

/* An attempt has failed, or a connection has ended that was not healthy. True: it is time for sources_after()
 * this one. */
bool sources_failed(struct sources *s, const struct config *config);

/* Which one comes next: where it came from when this was only a try, else the next in the list. */
unsigned sources_after(const struct sources *s);

/* The connection has proved healthy. */
void sources_healthy(struct sources *s, const struct config *config);

/* From now on that one is read. is_try: it is the first, and a single failure means back to where it was. */
void sources_go_to(struct sources *s, unsigned index, bool is_try);

#endif
