/* record_link.h: one connection to a relay, as a client, that gives whole messages.
 *
 *     CONNECTING ──▶ TLS ──▶ UPGRADING ──▶ OPEN ──▶ down
 *          └──────────┴──────────┴───────────────────▲
 */
#ifndef FIREHOSE_REPLAY_RECORD_LINK_H
#define FIREHOSE_REPLAY_RECORD_LINK_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/tls.h"
#include "net/url.h"

enum { RECORD_PATH_BYTES = URL_PATH_BYTES + 64 }; /* with a cursor behind it */

struct record_link;

struct record_link_user {
    void *arg;
    void (*on_open)(void *arg);
    /* Returns false to get no more messages. It must not free the link. */
    bool (*on_message)(void *arg, const uint8_t *frame, size_t len);
    /* The last call: the connection ended, or could not be made. It may free the link. */
    void (*on_down)(void *arg, const struct error *why);
};

/* Starts connecting. `path` is the path of the request, with its query. Returns NULL if memory is short. */
struct record_link *record_link_new(struct event_base *base, struct evdns_base *dns, struct tls_context *tls,
                                    const struct url *url, const char *path, const struct record_link_user *user);
void record_link_free(struct record_link *l);

/* Call it once a second: it pings a silent relay, and ends the connection if the relay stays silent. */
void record_link_tick(struct record_link *l);

#endif
