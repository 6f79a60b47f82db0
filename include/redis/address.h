/* address.h: where Redis is, and the way there. The master resolves and connects for every process of firehosed, as it
 * can do that without waiting. */
#ifndef FIREHOSED_REDIS_ADDRESS_H
#define FIREHOSED_REDIS_ADDRESS_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/error.h"
#include "net/connect.h"
#include "net/tls.h"
#include "net/url.h"

/* Zeroed is empty. */
struct redis_address {
    struct url url;
    struct tls_context *tls; /* NULL: plain */
};

/* Reads `redis` and `redis_ca_file` of the configuration; the address before is given up. Returns false
 * if a value is wrong: *why. */
bool redis_address_set(struct redis_address *a, const struct config *config, struct error *why);
void redis_address_fini(struct redis_address *a);

/* Host and port, or the path of a socket, for messages. Returns `out`. */
const char *redis_address_text(const struct redis_address *a, char *out, size_t out_bytes);

/* Checks `redis` of the configuration. Returns false if it is wrong: *why, without the key. */
bool redis_address_check(const struct config *config, struct error *why);

/* One attempt to connect. Zeroed is none. */
struct redis_dial {
    struct url url;
    struct connect_attempt *attempt;
};

/* Resolves and connects within redis_connect_timeout; `done` is called once, later, with the descriptor or the reason.
 * An attempt that is under way is given up. Returns false if it cannot start: *why; then `done` is not called. */
bool redis_dial_start(struct redis_dial *d, struct event_base *base, struct evdns_base *dns,
                      const struct config *config, connect_done *done, void *arg, struct error *why);

/* `done` was called: the attempt is over. */
static inline void redis_dial_end(struct redis_dial *d) { d->attempt = NULL; }
void redis_dial_cancel(struct redis_dial *d);

#endif
