/* connect.h: from a host name to a connected socket, without blocking: DNS by libevent's evdns, IPv6 and IPv4,
 * address after address until one answers. */
#ifndef FIREHOSED_NET_CONNECT_H
#define FIREHOSED_NET_CONNECT_H

#include <event2/dns.h>
#include <event2/event.h>

#include "base/error.h"
#include "net/url.h"

struct connect_attempt;

/* Called once, from the loop, never from inside connect_start(). fd: connected, non-blocking, close-on-exec,
 * TCP_NODELAY and keep-alive set, now the callee's; or -1 and *why ("resolve bsky.network: …",
 * "connect to 192.0.2.1:443: Connection refused"). The attempt is gone when the callback is called. */
typedef void connect_done(void *arg, int fd, const struct error *why);

/* Starts connecting to the url's host and port, or unix path. timeout_ms bounds the whole attempt. NULL only
 * when memory is short. */
struct connect_attempt *connect_start(struct event_base *base, struct evdns_base *dns, const struct url *url,
                                      int timeout_ms, connect_done *done, void *arg);

/* Gives up; the callback is not called. NULL is allowed. */
void connect_cancel(struct connect_attempt *attempt);

#endif
