/* resolver.h: the name servers of /etc/resolv.conf, as they are now: the file may appear or change while the process
 * runs (DHCP, a VPN, a container that starts early). */
#ifndef FIREHOSED_NET_RESOLVER_H
#define FIREHOSED_NET_RESOLVER_H

#include <event2/dns.h>
#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define RESOLVER_CONF "/etc/resolv.conf"

struct resolver {
    struct evdns_base *dns; /* the same one for the whole life */
    const char *path;
    ino_t inode; /* these three: of the file as it was last read; 0: it never was */
    off_t size;
    struct timespec modified;
};

/* Reads the file at `path`, which stays the caller's. Without the file, literal addresses and "localhost" work.
 * Returns false if memory is short; then resolver_fini() does nothing. */
bool resolver_init(struct resolver *r, struct event_base *base, const char *path);

/* Requests that are under way fail. */
void resolver_fini(struct resolver *r);

/* Reads the file again if it has changed. Requests that are under way go to the new name servers. If the file is gone,
 * the name servers stay. */
void resolver_refresh(struct resolver *r);

#endif
