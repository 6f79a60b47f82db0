/* evhttp knows idle time-outs, but neither a limit on connections nor one on their age, and does not tell when one has
 * ended. So each stream has a reference of ours. If evhttp has let go of a stream, its callbacks are gone, as
 * bufferevent_free() takes them away. A connection that has to go is shut down, and evhttp sees it end like any other.
 * */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http_clients.h"

enum {
    CONNECTIONS_MAX = 32,
    CONNECTION_MAX_MS = 60000,
    SWEEP_MS = 500,
    /* evhttp reads on while an answer waits to be sent. This is more than one request may have. */
    INPUT_MAX_BYTES = 16384,
};

struct http_client {
    struct bufferevent *stream; /* NULL: the place is free */
    int64_t since_ms;
};

struct http_clients {
    struct event *sweep;
    struct http_client clients[CONNECTIONS_MAX];
};

static bool has_left(const struct http_client *client)
{
    bufferevent_event_cb on_event;
    bufferevent_getcb(client->stream, NULL, NULL, &on_event, NULL);
    return on_event == NULL; /* a new one gets its callbacks before anything else is looked at */
}

static void let_go(struct http_client *client)
{
    bufferevent_decref(client->stream);
    client->stream = NULL;
}

static void show_out(struct http_client *client)
{
    if (bufferevent_getfd(client->stream) >= 0)
        shutdown(bufferevent_getfd(client->stream), SHUT_RDWR);
    let_go(client);
}

static void sweep(struct http_clients *g)
{
    int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (g->clients[i].stream == NULL)
            continue;
        if (has_left(&g->clients[i]))
            let_go(&g->clients[i]);
        else if (now - g->clients[i].since_ms >= CONNECTION_MAX_MS)
            show_out(&g->clients[i]);
    }
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_clients *g = arg;
    struct timeval again = {.tv_usec = SWEEP_MS * 1000};
    sweep(g);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (g->clients[i].stream != NULL) {
            evtimer_add(g->sweep, &again);
            return;
        }
}

/* Returns a free place, or else that of the oldest client. */
static struct http_client *find_place(struct http_clients *g)
{
    struct http_client *oldest = &g->clients[0];
    sweep(g);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (g->clients[i].stream == NULL)
            return &g->clients[i];
        if (g->clients[i].since_ms < oldest->since_ms)
            oldest = &g->clients[i];
    }
    show_out(oldest);
    return oldest;
}

struct bufferevent *http_clients_admit(struct event_base *base, void *clients)
{
    struct http_clients *g = clients;
    struct timeval later = {.tv_usec = SWEEP_MS * 1000};
    struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL)
        return NULL;
    struct http_client *place = find_place(g);
    bufferevent_setwatermark(stream, EV_READ, 0, INPUT_MAX_BYTES);
    bufferevent_incref(stream);
    *place = (struct http_client){.stream = stream, .since_ms = clock_monotonic_ms()};
    if (!evtimer_pending(g->sweep, NULL))
        evtimer_add(g->sweep, &later);
    return stream;
}

struct http_clients *http_clients_new(struct event_base *base)
{
    struct http_clients *g = calloc(1, sizeof *g);
    if (g != NULL && (g->sweep = evtimer_new(base, on_sweep, g)) == NULL) {
        free(g);
        return NULL;
    }
    return g;
}

void http_clients_free(struct http_clients *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (g->clients[i].stream != NULL)
            let_go(&g->clients[i]);
    event_free(g->sweep);
    free(g);
}
