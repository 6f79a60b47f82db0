#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "client_feed.h"
#include "serve_client.h"

enum { BACKLOG = 512, TICK_MS = 1000 };

/* ---- events ---- */

static void on_production(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    struct client *c;
    (void)fd;
    (void)what;
    LIST_FOREACH(c, &s->clients, entry)
    {
        client_check_speed(c);
        client_wake(c);
    }
    server_await_production(s);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    int64_t now_ms = clock_monotonic_ms();
    struct client *next;
    (void)fd;
    (void)what;
    for (struct client *c = LIST_FIRST(&s->clients); c != NULL; c = next) {
        next = LIST_NEXT(c, entry);
        client_tick(c, now_ms);
    }
    if (!s->is_listening) {
        s->is_listening = true;
        evconnlistener_enable(s->listener);
    }
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
                      void *arg)
{
    (void)listener;
    (void)address;
    (void)len;
    client_accept(arg, fd);
}

/* Pauses the listener until the next tick: most likely the process has no descriptor left, and an immediate retry would
 * only burn time. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct server *s = arg;
    serve_say("accept: %s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    s->is_listening = false;
    evconnlistener_disable(listener);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    (void)fd;
    (void)what;
    event_base_loopbreak(s->base);
}

/* ---- beginning ---- */

static bool load(struct server *s, struct error *why)
{
    const struct serve_options *o = s->options;
    if (o->capture != NULL) {
        if (!capture_open(&s->capture, o->capture, why))
            return false;
        if (s->capture.is_truncated)
            serve_say("%s; the whole frames are served", why->text);
    } else {
        struct buffer pool;
        buffer_init(&pool);
        bool ok = generator_capture(&o->generator, o->pool, &pool);
        if (!ok)
            error_set(why, "out of memory for %" PRIu64 " frames", o->pool);
        ok = ok && capture_adopt(&s->capture, &pool, why);
        buffer_fini(&pool);
        if (!ok)
            return false;
    }
    if (sequence_init(&s->sequence, &s->capture, &o->sequence, why))
        return true;
    if (o->capture != NULL)
        error_context(why, "%s", o->capture);
    return false;
}

/* Parses the address. evutil_parse_sockaddr_port() refuses port 0 (any free port), so port 0 is set afterwards. */
static bool parse_listen(const char *text, struct sockaddr_storage *address, int *len)
{
    char any[INET6_ADDRSTRLEN + sizeof "[]:0"];
    size_t n = strlen(text);
    bool is_any_port = n >= 2 && n < sizeof any && strcmp(text + n - 2, ":0") == 0;
    if (!is_any_port)
        return evutil_parse_sockaddr_port(text, (struct sockaddr *)address, len) == 0;
    memcpy(any, text, n + 1);
    any[n - 1] = '1';
    if (evutil_parse_sockaddr_port(any, (struct sockaddr *)address, len) != 0)
        return false;
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = 0;
    else
        ((struct sockaddr_in *)address)->sin_port = 0;
    return true;
}

static bool listen_on(struct server *s, struct error *why)
{
    const char *text = s->options->listen;
    struct sockaddr_storage address = {0};
    int len = sizeof address;
    if (!parse_listen(text, &address, &len)) {
        error_set(why, "listen on %s: expected ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080", text);
        return false;
    }
    s->listener = evconnlistener_new_bind(s->base, on_accept, s,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                          BACKLOG, (struct sockaddr *)&address, len);
    if (s->listener == NULL) {
        error_set(why, "listen on %s: %s", text, strerror(errno));
        return false;
    }
    s->is_listening = true;
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    return true;
}

/* Writes "ws://127.0.0.1:41337", with the port that the system chose. */
static void own_url(const struct server *s, char *out, size_t out_bytes)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN] = "?";
    const char *scheme = s->tls != NULL ? "wss" : "ws";
    getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&address, &len);
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, out_bytes, "%s://[%s]:%u", scheme, host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): the initializer sets all of the address */
        snprintf(out, out_bytes, "%s://%s:%u", scheme, host, ntohs(v4->sin_port));
    }
}

/* Writes the file under another name and renames it, so that a process that waits for the file never reads half of
 * it. */
static bool write_ready_file(const char *path, const char *url, struct error *why)
{
    char partial[4096];
    int n = snprintf(partial, sizeof partial, "%s.partial", path);
    FILE *file = n > 0 && (size_t)n < sizeof partial ? fopen(partial, "we") : NULL;
    bool ok = file != NULL && fprintf(file, "%s\n", url) > 0;
    if (file != NULL)
        ok = fclose(file) == 0 && ok;
    ok = ok && rename(partial, path) == 0;
    if (!ok)
        error_set(why, "%s: %s", path, strerror(errno));
    return ok;
}

static bool announce(const struct server *s, struct error *why)
{
    char url[128];
    own_url(s, url, sizeof url);
    printf("listening on %s\n", url);
    if (fflush(stdout) != 0) {
        error_set(why, "standard output: %s", strerror(errno));
        return false;
    }
    return s->options->ready_file == NULL || write_ready_file(s->options->ready_file, url, why);
}

static bool make_events(struct server *s, struct error *why)
{
    struct timeval second = clock_timeval(TICK_MS);
    s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    s->production = evtimer_new(s->base, on_production, s);
    s->sigterm = evsignal_new(s->base, SIGTERM, on_signal, s);
    s->sigint = evsignal_new(s->base, SIGINT, on_signal, s);
    bool ok = s->tick != NULL && s->production != NULL && s->sigterm != NULL && s->sigint != NULL &&
              event_add(s->tick, &second) == 0 && event_add(s->sigterm, NULL) == 0 &&
              event_add(s->sigint, NULL) == 0;
    if (!ok)
        error_set(why, "out of memory");
    return ok;
}

static bool server_init(struct server *s, const struct serve_options *options, struct error *why)
{
    *s = (struct server){.options = options, .faults = options->faults, .produced_since_ms = -1};
    LIST_INIT(&s->clients);
    if (!load(s, why))
        return false;
    if (options->cert_file != NULL &&
        (s->tls = tls_server_new(options->cert_file, options->key_file, why)) == NULL)
        return false;
    s->base = event_base_new();
    if (s->base == NULL) {
        error_set(why, "cannot make an event loop");
        return false;
    }
    if (options->stamp_file != NULL &&
        !stamps_open(&s->stamps, options->stamp_file, s->sequence.first_seq, why))
        return false;
    return make_events(s, why) && listen_on(s, why) && announce(s, why);
}

/* ---- end ---- */

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void server_fini(struct server *s)
{
    while (!LIST_EMPTY(&s->clients))
        client_free(LIST_FIRST(&s->clients));
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    free_event(s->tick);
    free_event(s->production);
    free_event(s->sigterm);
    free_event(s->sigint);
    if (s->base != NULL)
        event_base_free(s->base);
    tls_free(s->tls);
    stamps_close(&s->stamps);
    sequence_fini(&s->sequence);
    capture_close(&s->capture);
}

static int run(int argc, char **argv)
{
    struct serve_options options;
    struct server s;
    struct error why;
    signal(SIGPIPE, SIG_IGN);
    serve_options_parse(argc, argv, &options);
    bool ok = server_init(&s, &options, &why);
    if (ok) {
        event_base_dispatch(s.base);
        serve_say("%" PRIu64 " clients, %" PRIu64 " frames, %" PRIu64 " bytes sent", s.total_clients,
                  s.total_frames, s.total_bytes);
    } else {
        serve_say("%s", why.text);
    }
    server_fini(&s);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

const struct command serve_command = {
    .name = "serve",
    .summary = "be a relay: serve a capture, or generated frames, over WebSocket",
    .usage = "serve [OPTION]… (CAPTURE | --generate)",
    .help =
        "  --listen ADDRESS:PORT   (127.0.0.1:0, a free port; \"listening on URL\" tells which)\n"
        "  --tls-cert FILE --tls-key FILE   wss:// instead of ws://\n"
        "  --ready-file FILE       write the URL to FILE once it listens\n"
        "  --stamp-file FILE       write when each event was sent, for measurements (see stamps.h)\n"
        "  --send-buffer BYTES     send buffer of each client's socket (the system's)\n"
        "frames:\n"
        "  --generate              generated frames, repeated for ever, instead of a capture\n"
        "  --seed N  --pool N      seed and number of the generated frames (1; 2000)\n"
        "  --first-seq N           (the first seq in the capture; 31000000001 for generated frames)\n"
        "  --loop                  repeat the capture for ever, with rising numbers\n"
        "  --count N               end after N events; the connection stays open\n"
        "  --close-after           then close the connection with code 1000\n"
        "  --rate N                events a second (as fast as the client reads)\n"
        "  --backlog N             with --rate: events that exist from the start (0)\n"
        "  --now                   frames carry the time of their sending (with --generate)\n"
        "  --no-now                frames keep their own time (with a CAPTURE)\n"
        "  --fragment              split each message into two fragments, the second one empty\n"
        "cursors:\n"
        "  --cursor-convention after|from   a cursor N means seq > N, or seq >= N (after)\n"
        "  --future-cursor live|error       a cursor from the future gets live events, or FutureCursor (live)\n"
        "  --oldest-seq N          earlier events no longer exist: OutdatedCursor\n"
        "  --slow-limit N          with --rate: ConsumerTooSlow for a client that is N events behind\n"
        "faults, each reported on stderr when it fires:\n"
        "  --drop-after N          close TCP after N frames of a connection\n"
        "  --stall-after N         be silent after N frames\n"
        "  --garble-after N        send a message of garbage after N frames\n"
        "  --drop-times K  --stall-times K  --garble-times K   on K connections only\n"
        "  --repeat-every N        send each N-th frame twice\n"
        "  --accept-then-close K   upgrade the first K connections, then close them\n"
        "  --http-status CODE[:K]  answer the first K upgrades with CODE, and Retry-After: 1\n",
    .run = run,
};
