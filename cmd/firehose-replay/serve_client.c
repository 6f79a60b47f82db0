/* serve_client.c: the functions that read and write return false if the connection must end. Only the callbacks of
 * events free the client. */
#include "config.h"

#include "serve_client.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client_feed.h"
#include "client_request.h"

enum {
    READ_BYTES = 16 << 10,
    MAX_CLIENT_MESSAGE = 64 << 10, /* clients have no long messages for a relay */
    MAX_PONGS_BEHIND = 512 << 10,  /* above so many bytes of `out`, pings get no answer */
    KEEP_BYTES = 512 << 10,        /* capacity of `out` that is kept after a huge frame */
    TURN_BYTES = 1 << 20,          /* bytes for one client before the next client has its turn */
    PING_AFTER_MS = 30000,         /* of silence, like a real relay */
};

/* ---- what the client says ---- */

static bool is_open(const struct client *c) { return c->state == CLIENT_STREAMING || c->state == CLIENT_CLOSING; }

static void on_item(struct client *c, const struct ws_item *item)
{
    if (item->opcode == WS_PING && c->out.len < MAX_PONGS_BEHIND) {
        ws_append_frame(&c->out, WS_SERVER, WS_PONG, item->data, item->len);
    } else if (item->opcode == WS_CLOSE) {
        if (c->state == CLIENT_STREAMING)
            ws_append_close(&c->out, WS_SERVER, item->close_code, "");
        client_enter(c, CLIENT_ENDING);
    }
}

static void read_messages(struct client *c)
{
    struct ws_item item;
    struct error why;
    size_t done = 0;
    enum ws_result result = WS_ITEM;
    while (is_open(c) && result == WS_ITEM) {
        size_t left = c->in.len - done;
        result = ws_reader_next(&c->reader, c->in.data + done, &left, &item, &why);
        c->in.len = done + left;
        if (result == WS_ITEM) {
            done += item.consumed;
            on_item(c, &item);
        }
    }
    if (result == WS_VIOLATION) {
        serve_say("client %" PRIu64 ": %s", c->number, why.text);
        ws_append_close(&c->out, WS_SERVER, c->reader.close_code, why.text);
        client_enter(c, CLIENT_ENDING);
    }
    buffer_consume(&c->in, done);
}

static void understand(struct client *c)
{
    if (c->state == CLIENT_REQUEST)
        client_read_request(c);
    if (is_open(c) && c->in.len > 0)
        read_messages(c);
    if (!is_open(c) && c->state != CLIENT_REQUEST)
        buffer_clear(&c->in); /* the server reads no more messages */
}

/* ---- bytes ---- */

static void say_gone(const struct client *c, const char *why)
{
    serve_say("client %" PRIu64 ": gone after %" PRIu64 " frames%s%s", c->number, c->frames, *why != '\0' ? ": " : "",
              why);
}

static bool client_read(struct client *c)
{
    struct error why = {.text = ""};
    for (;;) {
        size_t got;
        if (c->state == CLIENT_STALLED)
            return true;
        if (!buffer_reserve(&c->in, READ_BYTES))
            return false;
        switch (stream_read(&c->stream, c->in.data + c->in.len, READ_BYTES, &got, &why)) {
        case STREAM_OK:
            c->in.len += got;
            understand(c);
            /* The event loop calls again for a plain stream, but does not see bytes that TLS holds. */
            if (!stream_has_pending(&c->stream))
                return true;
            break;
        case STREAM_WANT_READ:
        case STREAM_WANT_WRITE:
            return true;
        default:
            if (c->state != CLIENT_LINGERING)
                say_gone(c, why.text);
            return false;
        }
    }
}

static void refill(struct client *c)
{
    buffer_clear(&c->out);
    c->written = 0;
    buffer_trim(&c->out, KEEP_BYTES);
    if (c->state == CLIENT_STREAMING)
        client_feed(c);
}

/* Writes until the socket is full, nothing is left, or another client has its turn. */
static bool client_write(struct client *c)
{
    struct error why = {.text = ""};
    for (size_t turn = 0; turn < TURN_BYTES && c->state != CLIENT_STALLED;) {
        size_t put;
        if (client_is_written(c))
            refill(c);
        if (c->out.failed)
            return false;
        if (client_is_written(c))
            break;
        switch (stream_write(&c->stream, c->out.data + c->written, c->out.len - c->written, &put, &why)) {
        case STREAM_OK:
            c->written += put;
            turn += put;
            c->server->total_bytes += put;
            c->last_write_ms = clock_monotonic_ms();
            break;
        case STREAM_WANT_READ:
        case STREAM_WANT_WRITE:
            return true;
        default:
            say_gone(c, why.text);
            return false;
        }
    }
    return true;
}

/* Writes the rest of `out` of a stalled client: the fault begins after a whole frame. */
static bool write_before_silence(struct client *c)
{
    struct error why;
    while (!client_is_written(c)) {
        size_t put;
        enum stream_result result =
            stream_write(&c->stream, c->out.data + c->written, c->out.len - c->written, &put, &why);
        if (result == STREAM_WANT_WRITE) {
            event_add(c->writable, NULL);
            return true;
        }
        if (result != STREAM_OK)
            return false;
        c->written += put;
    }
    event_del(c->writable);
    return true;
}

static bool tls_handshake(struct client *c)
{
    struct error why;
    switch (stream_handshake(&c->stream, &why)) {
    case STREAM_OK:
        client_enter(c, CLIENT_REQUEST);
        event_del(c->writable);
        return client_read(c);
    case STREAM_WANT_READ:
        event_del(c->writable);
        return true;
    case STREAM_WANT_WRITE:
        event_add(c->writable, NULL);
        return true;
    case STREAM_EOF:
        return false;
    default:
        serve_say("client %" PRIu64 ": %s", c->number, why.text);
        return false;
    }
}

/* Writes what there is, and waits for the socket if more is left. */
static bool client_run(struct client *c)
{
    if (c->state == CLIENT_TLS)
        return true;
    if (c->state != CLIENT_STALLED && !client_write(c))
        return false;
    if (c->state == CLIENT_STALLED)
        return write_before_silence(c);
    if (c->state == CLIENT_ENDING && client_is_written(c))
        client_enter(c, CLIENT_LINGERING);
    if (client_has_more(c))
        event_add(c->writable, NULL);
    else
        event_del(c->writable);
    return true;
}

/* ---- events ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    (void)fd;
    (void)what;
    bool alive = c->state == CLIENT_TLS ? tls_handshake(c) : client_read(c);
    if (!alive || !client_run(c))
        client_free(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    (void)fd;
    (void)what;
    if ((c->state == CLIENT_TLS && !tls_handshake(c)) || !client_run(c))
        client_free(c);
}

/* Asks for the end of a stalled client's connection, because nothing reads from it. */
static bool has_hung_up(const struct client *c)
{
    struct pollfd p = {.fd = c->stream.fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void client_tick(struct client *c, int64_t now_ms)
{
    if (now_ms >= c->deadline_ms || (c->state == CLIENT_STALLED && has_hung_up(c))) {
        client_free(c);
        return;
    }
    if (c->state == CLIENT_STREAMING && client_is_written(c) && now_ms - c->last_write_ms >= PING_AFTER_MS) {
        ws_append_frame(&c->out, WS_SERVER, WS_PING, NULL, 0);
        client_wake(c);
    }
}

/* ---- beginning and end ---- */

static void set_socket(const struct server *s, int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (s->options->send_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &s->options->send_buffer, sizeof s->options->send_buffer);
}

void client_accept(struct server *s, int fd)
{
    struct error why;
    struct client *c = calloc(1, sizeof *c);
    set_socket(s, fd);
    if (c == NULL) {
        close(fd);
        return;
    }
    *c = (struct client){.server = s, .number = ++s->total_clients, .last_write_ms = clock_monotonic_ms()};
    LIST_INSERT_HEAD(&s->clients, c, entry);
    ws_reader_init(&c->reader, WS_SERVER, MAX_CLIENT_MESSAGE);
    bool ok = stream_init(&c->stream, fd, s->tls, NULL, &why);
    if (ok) {
        c->readable = event_new(s->base, fd, EV_READ | EV_PERSIST, on_readable, c);
        c->writable = event_new(s->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    }
    if (c->readable == NULL || c->writable == NULL || event_add(c->readable, NULL) < 0) {
        serve_say("client %" PRIu64 ": %s", c->number, ok ? "out of memory" : why.text);
        client_free(c);
        return;
    }
    client_enter(c, s->tls != NULL ? CLIENT_TLS : CLIENT_REQUEST);
}

void client_free(struct client *c)
{
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->writable != NULL)
        event_free(c->writable);
    stream_fini(&c->stream);
    buffer_fini(&c->in);
    buffer_fini(&c->out);
    LIST_REMOVE(c, entry);
    free(c);
}
