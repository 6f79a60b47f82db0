/* connect.c: an attempt owns its DNS request, its socket, a timer for the present address and one for the whole
 * attempt. The attempt frees itself when it calls back; a cancelled one, when DNS has called back. */
#include "config.h"

#include "net/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { MAX_ADDRESSES = 16, ADDRESS_SHARE_MS = 5000, ADDRESS_SHARE_MIN_MS = 50, KEEPALIVE_S = 60 };

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
};

struct connect_attempt {
    struct event_base *base;
    struct evdns_base *dns;
    struct url url;
    int64_t ends_ms; /* on the monotonic clock */
    connect_done *done;
    void *arg;
    struct evdns_getaddrinfo_request *request;
    bool is_resolving; /* DNS has yet to call back; it does so even after a cancel */
    bool is_cancelled;
    struct address addresses[MAX_ADDRESSES];
    size_t count, next;
    int fd;
    struct event *begin, *writable, *deadline;
    struct error failure;
};

static void attempt_free(struct connect_attempt *a)
{
    if (a->begin != NULL)
        event_free(a->begin);
    if (a->writable != NULL)
        event_free(a->writable);
    if (a->deadline != NULL)
        event_free(a->deadline);
    a->begin = a->writable = a->deadline = NULL;
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
    a->is_cancelled = true;
    /* evdns calls on_resolved() once more for a cancelled request; on_resolved() then frees the attempt. */
    if (a->is_resolving) {
        if (a->request != NULL)
            evdns_getaddrinfo_cancel(a->request);
        a->request = NULL;
        return;
    }
    free(a);
}

static void finish(struct connect_attempt *a, int fd)
{
    connect_done *done = a->done;
    void *arg = a->arg;
    struct error why = a->failure;
    if (fd >= 0)
        a->fd = -1;
    attempt_free(a);
    done(arg, fd, &why);
}

static const char *address_text(const struct address *address, char *out, size_t out_bytes)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (address->storage.ss_family == AF_UNIX)
        snprintf(out, out_bytes, "%s", ((const struct sockaddr_un *)&address->storage)->sun_path);
    else if (getnameinfo((const struct sockaddr *)&address->storage, address->len, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(out, out_bytes, address->storage.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    else
        snprintf(out, out_bytes, "?");
    return out;
}

static void note_failure(struct connect_attempt *a, int code)
{
    char where[NI_MAXHOST + NI_MAXSERV];
    error_set(&a->failure, "connect to %s: %s", address_text(&a->addresses[a->next - 1], where, sizeof where),
              strerror(code));
}

static void set_options(int fd, int family)
{
    int on = 1, idle = KEEPALIVE_S, interval = KEEPALIVE_S / 4, count = 4;
    if (family == AF_UNIX)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static void try_next(struct connect_attempt *a);

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connect_attempt *a = arg;
    int code = 0;
    socklen_t len = sizeof code;
    event_free(a->writable);
    a->writable = NULL;
    if (what & EV_TIMEOUT)
        code = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
        code = errno;
    if (code == 0) {
        finish(a, a->fd);
        return;
    }
    note_failure(a, code);
    try_next(a);
}

/* Dead addresses must leave time for the others. */
static int64_t address_share_ms(const struct connect_attempt *a)
{
    int64_t share_ms = (a->ends_ms - clock_monotonic_ms()) / (int64_t)(a->count - a->next + 1);
    return share_ms > ADDRESS_SHARE_MS       ? ADDRESS_SHARE_MS
           : share_ms < ADDRESS_SHARE_MIN_MS ? ADDRESS_SHARE_MIN_MS
                                             : share_ms;
}

/* Starts to connect to the next address. Returns false if that failed at once; otherwise the connection is under way,
 * or the attempt has ended. */
static bool try_one(struct connect_attempt *a)
{
    const struct address *address = &a->addresses[a->next++];
    int family = address->storage.ss_family;
    a->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (a->fd < 0) {
        note_failure(a, errno);
        return false;
    }
    set_options(a->fd, family);
    if (connect(a->fd, (const struct sockaddr *)&address->storage, address->len) == 0) {
        finish(a, a->fd);
        return true;
    }
    if (errno != EINPROGRESS) {
        note_failure(a, errno);
        return false;
    }
    struct timeval share = clock_timeval(address_share_ms(a));
    a->writable = event_new(a->base, a->fd, EV_WRITE, on_writable, a);
    if (a->writable == NULL) {
        note_failure(a, ENOMEM);
        return false;
    }
    event_add(a->writable, &share);
    return true;
}

static void try_next(struct connect_attempt *a)
{
    for (;;) {
        if (a->fd >= 0)
            close(a->fd);
        a->fd = -1;
        if (a->next == a->count) {
            finish(a, -1);
            return;
        }
        if (try_one(a))
            return;
    }
}

/* Keeps the addresses, IPv6 and IPv4 in turn, so that a broken family costs one time-out, not all of them. */
static void keep_addresses(struct connect_attempt *a, const struct evutil_addrinfo *list)
{
    const struct evutil_addrinfo *at[2] = {list, list};
    static const int families[2] = {AF_INET6, AF_INET};
    while (a->count < MAX_ADDRESSES && (at[0] != NULL || at[1] != NULL))
        for (int i = 0; i < 2; i++) {
            while (at[i] != NULL && at[i]->ai_family != families[i])
                at[i] = at[i]->ai_next;
            if (at[i] == NULL || a->count == MAX_ADDRESSES)
                continue;
            struct address *address = &a->addresses[a->count++];
            memcpy(&address->storage, at[i]->ai_addr, at[i]->ai_addrlen);
            address->len = at[i]->ai_addrlen;
            at[i] = at[i]->ai_next;
        }
}

static void on_resolved(int result, struct evutil_addrinfo *list, void *arg)
{
    struct connect_attempt *a = arg;
    a->is_resolving = false;
    a->request = NULL;
    if (a->is_cancelled) {
        if (list != NULL)
            evutil_freeaddrinfo(list);
        free(a);
        return;
    }
    if (result != 0) {
        error_set(&a->failure, "resolve %s: %s", a->url.host, evutil_gai_strerror(result));
        finish(a, -1);
        return;
    }
    keep_addresses(a, list);
    evutil_freeaddrinfo(list);
    if (a->count == 0)
        error_set(&a->failure, "resolve %s: no address", a->url.host);
    try_next(a);
}

static void use_unix_path(struct connect_attempt *a)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&a->addresses[0].storage;
    if (strlen(a->url.path) >= sizeof address->sun_path) {
        error_set(&a->failure, "connect to %s: the path is too long", a->url.path);
        finish(a, -1);
        return;
    }
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, a->url.path, strlen(a->url.path) + 1);
    a->addresses[0].len = sizeof *address;
    a->count = 1;
    try_next(a);
}

/* Connects to a literal address or "localhost", which works without a name server. Returns false for any other name. */
static bool use_literal(struct connect_attempt *a)
{
    char port[8];
    struct evutil_addrinfo *list = NULL, hints = {.ai_family = AF_UNSPEC,
                                                  .ai_socktype = SOCK_STREAM,
                                                  .ai_protocol = IPPROTO_TCP,
                                                  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    snprintf(port, sizeof port, "%u", a->url.port);
    bool local = strcasecmp(a->url.host, "localhost") == 0;
    struct evutil_addrinfo *second = NULL;
    if (getaddrinfo(local ? "127.0.0.1" : a->url.host, port, &hints, &list) != 0)
        return false;
    if (local && getaddrinfo("::1", port, &hints, &second) == 0)
        keep_addresses(a, second);
    keep_addresses(a, list);
    freeaddrinfo(list);
    if (second != NULL)
        freeaddrinfo(second);
    try_next(a);
    return true;
}

static void on_begin(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct connect_attempt *a = arg;
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    char port[8];
    if (a->url.scheme == URL_UNIX) {
        use_unix_path(a);
        return;
    }
    if (use_literal(a))
        return;
    if (a->dns == NULL || evdns_base_count_nameservers(a->dns) == 0) {
        error_set(&a->failure, "resolve %s: no name server is configured", a->url.host);
        finish(a, -1);
        return;
    }
    snprintf(port, sizeof port, "%u", a->url.port);
    a->is_resolving = true;
    struct evdns_getaddrinfo_request *request = evdns_getaddrinfo(a->dns, a->url.host, port, &hints, on_resolved, a);
    if (request != NULL) /* NULL: evdns has already called back (/etc/hosts, or a failure); the attempt may be freed */
        a->request = request;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct connect_attempt *a = arg;
    if (a->failure.text[0] == '\0')
        error_set(&a->failure, a->is_resolving ? "resolve %s: timed out" : "connect to %s: timed out", a->url.host);
    finish(a, -1);
}

struct connect_attempt *connect_start(struct event_base *base, struct evdns_base *dns, const struct url *url,
                                      int timeout_ms, connect_done *done, void *arg)
{
    struct connect_attempt *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    *a = (struct connect_attempt){
        .base = base, .dns = dns, .url = *url, .done = done, .arg = arg, .fd = -1};
    a->ends_ms = clock_monotonic_ms() + timeout_ms;
    struct timeval all = clock_timeval(timeout_ms);
    a->begin = evtimer_new(base, on_begin, a);
    a->deadline = evtimer_new(base, on_deadline, a);
    if (a->begin == NULL || a->deadline == NULL || evtimer_add(a->deadline, &all) < 0) {
        attempt_free(a);
        return NULL;
    }
    event_active(a->begin, EV_TIMEOUT, 0);
    return a;
}

void connect_cancel(struct connect_attempt *a)
{
    if (a != NULL)
        attempt_free(a);
}
