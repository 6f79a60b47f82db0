/* http_guests.c: the connections of the HTTP endpoint, counted and timed.
 *
 * evhttp knows idle time-outs, but neither a limit on connections nor one on their age, and does not tell when one has
 * ended. So each stream is held by a reference of ours: that evhttp has let go of one is seen by its callbacks, which
 * bufferevent_free() takes away. A connection that has to go is shut down, and evhttp sees it end like any other. */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http_internal.h"

enum { CONNECTIONS_MAX = 32, CONNECTION_MAX_MS = 60000, SWEEP_MS = 500 };

struct guest {
    struct bufferevent *stream; /* NULL: nobody */
    int64_t since_ms;
};

struct http_guests {
    struct event *sweep;
    struct guest guests[CONNECTIONS_MAX];
};

static bool has_left(const struct guest *guest)
{
    bufferevent_event_cb on_event;
    bufferevent_getcb(guest->stream, NULL, NULL, &on_event, NULL);
    return on_event == NULL; /* a new one gets its callbacks before anything else is looked at */
}

static void let_go(struct guest *guest)
{
    bufferevent_decref(guest->stream);
    guest->stream = NULL;
}

static void show_out(struct guest *guest)
{
    if (bufferevent_getfd(guest->stream) >= 0)
        shutdown(bufferevent_getfd(guest->stream), SHUT_RDWR);
    let_go(guest);
}

static void sweep(struct http_guests *g)
{
    int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (g->guests[i].stream == NULL)
            continue;
        if (has_left(&g->guests[i]))
            let_go(&g->guests[i]);
        else if (now - g->guests[i].since_ms >= CONNECTION_MAX_MS)
            show_out(&g->guests[i]);
    }
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_guests *g = arg;
    struct timeval again = {.tv_usec = SWEEP_MS * 1000};
    sweep(g);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (g->guests[i].stream != NULL) {
            evtimer_add(g->sweep, &again);
            return;
        }
}

/* A free place; where there is none, that of the guest who has been here longest. */
static struct guest *find_place(struct http_guests *g)
{
    struct guest *oldest = &g->guests[0];
    sweep(g);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (g->guests[i].stream == NULL)
            return &g->guests[i];
        if (g->guests[i].since_ms < oldest->since_ms)
            oldest = &g->guests[i];
    }
    show_out(oldest);
    return oldest;
}

struct bufferevent *http_guests_admit(struct event_base *base, void *guests)
{
    struct http_guests *g = guests;
    struct timeval later = {.tv_usec = SWEEP_MS * 1000};
    struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL)
        return NULL;
    struct guest *place = find_place(g);
    bufferevent_incref(stream);
    *place = (struct guest){.stream = stream, .since_ms = clock_monotonic_ms()};
    if (!evtimer_pending(g->sweep, NULL))
        evtimer_add(g->sweep, &later);
    return stream;
}

struct http_guests *http_guests_new(struct event_base *base)
{
    struct http_guests *g = calloc(1, sizeof *g);
    if (g != NULL && (g->sweep = evtimer_new(base, on_sweep, g)) == NULL) {
        free(g);
        return NULL;
    }
    return g;
}

void http_guests_free(struct http_guests *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (g->guests[i].stream != NULL)
            let_go(&g->guests[i]);
    event_free(g->sweep);
    free(g);
}
