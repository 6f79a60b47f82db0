#include "config.h"

#include "record_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "net/connect.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "net/ws_handshake.h"

enum {
    READ_BYTES = 256 << 10,
    MAX_MESSAGE = 16 << 20, /* the relay's own limit is 5,000,000 */
    CONNECT_MS = 20000,
    PING_AFTER_MS = 30000,
    DEAD_AFTER_MS = 45000,
    URL_TEXT_BYTES = URL_HOST_BYTES + 16,
};

enum link_state { LINK_CONNECTING, LINK_TLS, LINK_UPGRADING, LINK_OPEN, LINK_DOWN };

struct record_link {
    struct event_base *base;
    struct tls_context *tls;
    struct url url;
    char path[RECORD_PATH_BYTES];
    struct record_link_user user;
    enum link_state state;
    struct connect_attempt *attempt;
    struct stream stream;
    struct event *readable, *writable;
    char key[WS_KEY_TEXT_BYTES];
    struct ws_reader reader;
    struct buffer in, out;
    int64_t last_read_ms;
    bool has_pinged;
};

/* Ends the link. The caller must not use it afterwards, because on_down() may free it. */
static void go_down(struct record_link *l, struct error *why)
{
    char host[URL_TEXT_BYTES];
    l->state = LINK_DOWN;
    if (l->readable != NULL)
        event_del(l->readable);
    if (l->writable != NULL)
        event_del(l->writable);
    error_context(why, "%s", url_authority(&l->url, host, sizeof host));
    l->user.on_down(l->user.arg, why);
}

/* ---- messages ---- */

/* Takes one item. Returns false and fills *why if the connection must end. Sets *enough if the user wants no more
 * messages. */
static bool take_item(struct record_link *l, const struct ws_item *item, bool *enough, struct error *why)
{
    switch (item->opcode) {
    case WS_BINARY:
        *enough = !l->user.on_message(l->user.arg, item->data, item->len);
        return true;
    case WS_PING:
        ws_append_frame(&l->out, WS_CLIENT, WS_PONG, item->data, item->len);
        return true;
    case WS_CLOSE:
        error_set(why, "closed by the relay, code %u", item->close_code);
        return false;
    case WS_TEXT:
        error_set(why, "the relay sent a text message");
        return false;
    default:
        return true;
    }
}

static bool take_messages(struct record_link *l, bool *enough, struct error *why)
{
    struct ws_item item;
    size_t done = 0;
    bool ok = true;
    while (ok && !*enough) {
        size_t left = l->in.len - done;
        enum ws_result result = ws_reader_next(&l->reader, l->in.data + done, &left, &item, why);
        l->in.len = done + left;
        if (result == WS_NEED_MORE)
            break;
        ok = result == WS_ITEM && take_item(l, &item, enough, why);
        done += ok ? item.consumed : 0;
    }
    buffer_consume(&l->in, done);
    return ok;
}

static bool take_answer(struct record_link *l, struct error *why)
{
    struct ws_upgrade_answer answer;
    enum ws_upgrade result = ws_read_answer(l->in.data, l->in.len, l->key, &answer, why);
    if (result == WS_UPGRADE_NEED_MORE)
        return true;
    if (result != WS_UPGRADE_DONE)
        return false;
    buffer_consume(&l->in, answer.consumed);
    ws_reader_init(&l->reader, WS_CLIENT, MAX_MESSAGE);
    l->state = LINK_OPEN;
    l->user.on_open(l->user.arg);
    return true;
}

/* ---- bytes ---- */

static bool write_out(struct record_link *l, struct error *why)
{
    if (l->out.failed) {
        error_set(why, "out of memory");
        return false;
    }
    while (l->out.len > 0) {
        size_t put;
        switch (stream_write(&l->stream, l->out.data, l->out.len, &put, why)) {
        case STREAM_OK:
            buffer_consume(&l->out, put);
            break;
        case STREAM_WANT_READ:
        case STREAM_WANT_WRITE:
            event_add(l->writable, NULL);
            return true;
        default:
            return false;
        }
    }
    event_del(l->writable);
    return true;
}

static bool read_in(struct record_link *l, struct error *why)
{
    bool enough = false, ok = true;
    while (ok && !enough) {
        size_t got;
        if (!buffer_reserve(&l->in, READ_BYTES)) {
            error_set(why, "out of memory");
            return false;
        }
        enum stream_result result = stream_read(&l->stream, l->in.data + l->in.len, READ_BYTES, &got, why);
        if (result == STREAM_WANT_READ || result == STREAM_WANT_WRITE)
            break;
        if (result == STREAM_EOF)
            error_set(why, "the relay ended the connection");
        if (result != STREAM_OK)
            return false;
        l->in.len += got;
        l->last_read_ms = clock_monotonic_ms();
        l->has_pinged = false;
        if (l->state == LINK_UPGRADING)
            ok = take_answer(l, why);
        if (ok && l->state == LINK_OPEN)
            ok = take_messages(l, &enough, why);
        if (!stream_has_pending(&l->stream))
            break;
    }
    return ok && write_out(l, why);
}

static bool handshake(struct record_link *l, struct error *why)
{
    switch (stream_handshake(&l->stream, why)) {
    case STREAM_OK:
        break;
    case STREAM_WANT_READ:
        event_del(l->writable);
        return true;
    case STREAM_WANT_WRITE:
        event_add(l->writable, NULL);
        return true;
    case STREAM_EOF:
        error_set(why, "TLS handshake: the relay ended the connection");
        return false;
    default:
        return false;
    }
    l->state = LINK_UPGRADING;
    ws_key_make(l->key);
    ws_append_request(&l->out, &l->url, l->path, l->key, "firehose-replay/" PACKAGE_VERSION);
    return write_out(l, why);
}

/* ---- events ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct record_link *l = arg;
    struct error why;
    (void)fd;
    (void)what;
    if (!(l->state == LINK_TLS ? handshake(l, &why) : read_in(l, &why)))
        go_down(l, &why);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct record_link *l = arg;
    struct error why;
    (void)fd;
    (void)what;
    if (!(l->state == LINK_TLS ? handshake(l, &why) : write_out(l, &why)))
        go_down(l, &why);
}

static bool begin(struct record_link *l, int fd, struct error *why)
{
    if (!stream_init(&l->stream, fd, l->tls, l->url.host, why))
        return false;
    l->readable = event_new(l->base, fd, EV_READ | EV_PERSIST, on_readable, l);
    l->writable = event_new(l->base, fd, EV_WRITE | EV_PERSIST, on_writable, l);
    if (l->readable == NULL || l->writable == NULL || event_add(l->readable, NULL) < 0) {
        error_set(why, "out of memory");
        return false;
    }
    l->state = LINK_TLS;
    l->last_read_ms = clock_monotonic_ms();
    return handshake(l, why);
}

static void on_connected(void *arg, int fd, const struct error *why)
{
    struct record_link *l = arg;
    struct error failure = *why;
    l->attempt = NULL;
    if (fd < 0 || !begin(l, fd, &failure))
        go_down(l, &failure);
}

/* ---- beginning and end ---- */

struct record_link *record_link_new(struct event_base *base, struct evdns_base *dns, struct tls_context *tls,
                                    const struct url *url, const char *path, const struct record_link_user *user)
{
    struct record_link *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    *l = (struct record_link){.base = base, .tls = tls, .url = *url, .user = *user};
    snprintf(l->path, sizeof l->path, "%s", path);
    stream_clear(&l->stream);
    l->attempt = connect_start(base, dns, url, CONNECT_MS, on_connected, l);
    if (l->attempt == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void record_link_free(struct record_link *l)
{
    if (l == NULL)
        return;
    connect_cancel(l->attempt);
    if (l->readable != NULL)
        event_free(l->readable);
    if (l->writable != NULL)
        event_free(l->writable);
    stream_fini(&l->stream);
    buffer_fini(&l->in);
    buffer_fini(&l->out);
    free(l);
}

void record_link_tick(struct record_link *l)
{
    if (l->state != LINK_TLS && l->state != LINK_UPGRADING && l->state != LINK_OPEN)
        return;
    struct error why;
    int64_t silent_ms = clock_monotonic_ms() - l->last_read_ms;
    bool ok = silent_ms < DEAD_AFTER_MS;
    if (!ok)
        error_set(&why, "the relay sent nothing for %d s", DEAD_AFTER_MS / 1000);
    if (ok && l->state == LINK_OPEN && silent_ms >= PING_AFTER_MS && !l->has_pinged) {
        l->has_pinged = true;
        ws_append_frame(&l->out, WS_CLIENT, WS_PING, NULL, 0);
        ok = write_out(l, &why);
    }
    if (!ok)
        go_down(l, &why);
}
