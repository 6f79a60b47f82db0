/* connect.h: connects to a host without blocking: DNS by libevent's evdns, IPv6 and IPv4, one address after another
 * until one answers. */
#ifndef FIREHOSED_NET_CONNECT_H
#define FIREHOSED_NET_CONNECT_H

#include <event2/dns.h>
#include <event2/event.h>

#include "base/error.h"
#include "net/url.h"

struct connect_attempt;

/* The loop calls this once; connect_start() itself never does. `fd` is connected, non-blocking, close-on-exec, with
 * TCP_NODELAY and keep-alive, and belongs to the callee. On failure it is -1, and *why has the reason ("resolve
 * bsky.network: …", "connect to 192.0.2.1:443: Connection refused"). The attempt no longer exists at that time. */
typedef void connect_done(void *arg, int fd, const struct error *why);

/* Starts connecting to the URL's host and port, or to its unix path. timeout_ms bounds the whole attempt. Returns NULL
 * only if memory is short. */
struct connect_attempt *connect_start(struct event_base *base, struct evdns_base *dns, const struct url *url,
                                      int timeout_ms, connect_done *done, void *arg);

/* Stops the attempt; `done` is not called. NULL is fine. */
void connect_cancel(struct connect_attempt *attempt);

#endif
