/* connection.c: the socket's bytes go straight into the ledger's window, and messages are read there without a copy. */
#include "config.h"

#include "connection.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    READ_BYTES = 256 * 1024, /* of one read; TLS gives a record of 16 KiB at most */
    HEAD_BYTES = 4096,
    PONGS_BYTES = 64 * 1024, /* unsent; while there are more, pings get no answer (RFC 6455 §5.5.3 allows that) */
};

static const char subscribe_path[] = "/xrpc/com.atproto.sync.subscribeRepos";

/* ---- opening and closing ---- */

void connection_init(struct connection *c, struct event_base *base, struct ledger *ledger, event_callback_fn on_ready,
                     void *arg)
{
    *c = (struct connection){.base = base, .ledger = ledger, .on_ready = on_ready, .arg = arg};
    stream_clear(&c->stream);
}

bool connection_open(struct connection *c, int fd, struct tls_context *tls, const char *host, struct error *why)
{
    if (!stream_init(&c->stream, fd, tls, host, why))
        return false;
    c->readable = event_new(c->base, fd, EV_READ | EV_PERSIST, c->on_ready, c->arg);
    c->writable = event_new(c->base, fd, EV_WRITE, c->on_ready, c->arg);
    error_set(why, "out of memory");
    return c->readable != NULL && c->writable != NULL;
}

void connection_close(struct connection *c)
{
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->writable != NULL)
        event_free(c->writable);
    c->readable = c->writable = NULL;
    stream_fini(&c->stream);
    stream_clear(&c->stream);
    buffer_fini(&c->head);
    buffer_fini(&c->out);
    c->is_paused = c->is_close_sent = false;
    ledger_clear_window(c->ledger);
}

/* ---- writing ---- */

bool connection_flush(struct connection *c)
{
    struct error why;
    while (c->out.len > 0) {
        size_t put = 0;
        switch (stream_write(&c->stream, c->out.data, c->out.len, &put, &why)) {
        case STREAM_OK:
            buffer_consume(&c->out, put);
            break;
        case STREAM_WANT_READ:
            return true;
        case STREAM_WANT_WRITE:
            event_add(c->writable, NULL);
            return true;
        case STREAM_EOF:
        case STREAM_ERROR:
            /* A read tells the better reason, and the relay's last words may still be there. */
            buffer_clear(&c->out);
            return true;
        }
    }
    return !c->out.failed;
}

bool connection_ping(struct connection *c)
{
    ws_append_frame(&c->out, WS_CLIENT, WS_PING, "", 0);
    return connection_flush(c);
}

bool connection_say_goodbye(struct connection *c, uint16_t code)
{
    ws_append_close(&c->out, WS_CLIENT, code, "");
    c->is_close_sent = true;
    return connection_flush(c);
}

/* ---- the handshakes ---- */

/* The stream cannot go on now, or not at all. eof: the reason that an end of file stands for. */
static enum connection_result stopped_by(struct connection *c, enum stream_result result, const char *eof,
                                         struct error *why)
{
    if (result == STREAM_WANT_WRITE)
        event_add(c->writable, NULL);
    if (result == STREAM_EOF)
        error_set(why, "%s", eof);
    return result == STREAM_EOF || result == STREAM_ERROR ? CONNECTION_FAILED : CONNECTION_WAITS;
}

enum connection_result connection_shake_hands(struct connection *c, struct error *why)
{
    enum stream_result result = stream_handshake(&c->stream, why);
    if (result == STREAM_OK || result == STREAM_WANT_READ)
        event_add(c->readable, NULL);
    return result == STREAM_OK ? CONNECTION_DONE : stopped_by(c, result, "TLS handshake: closed by the relay", why);
}

bool connection_request(struct connection *c, const struct url *url, struct optional cursor)
{
    char path[URL_PATH_BYTES + sizeof subscribe_path + 32];
    bool is_bare = strcmp(url->path, "/") == 0 || url->path[0] == '\0';
    int n = snprintf(path, sizeof path, "%s", is_bare ? subscribe_path : url->path);
    if (cursor.is_known)
        snprintf(path + n, sizeof path - (size_t)n, "%ccursor=%" PRId64, strchr(path, '?') != NULL ? '&' : '?',
                 cursor.value);
    ws_key_make(c->key);
    ws_append_request(&c->out, url, path, c->key, PACKAGE_NAME "/" PACKAGE_VERSION);
    return connection_flush(c);
}

/* Bytes behind the head of the answer are WebSocket already: they go to the window, in front of all later ones. */
static bool keep_rest(struct connection *c, size_t consumed)
{
    size_t rest = c->head.len - consumed, filled, room;
    uint8_t *window = ledger_window(c->ledger, &filled, &room);
    if (rest > room)
        return false;
    memcpy(window + filled, c->head.data + consumed, rest);
    ledger_filled(c->ledger, rest);
    buffer_fini(&c->head);
    return true;
}

enum connection_result connection_read_answer(struct connection *c, size_t max_message, int64_t *asked_ms,
                                              struct error *why)
{
    struct ws_upgrade_answer answer;
    *asked_ms = 0;
    for (;;) {
        size_t got = 0;
        error_set(why, "out of memory");
        if (!buffer_reserve(&c->head, HEAD_BYTES))
            return CONNECTION_FAILED;
        enum stream_result result = stream_read(&c->stream, c->head.data + c->head.len, HEAD_BYTES, &got, why);
        if (result != STREAM_OK)
            return stopped_by(c, result, "closed by the relay during the WebSocket upgrade", why);
        c->head.len += got;
        switch (ws_read_answer(c->head.data, c->head.len, c->key, &answer, why)) {
        case WS_UPGRADE_NEED_MORE: /* OpenSSL may hold more already */
            continue;
        case WS_UPGRADE_DONE:
            ws_reader_init(&c->reader, WS_CLIENT, max_message);
            error_set(why, "the ring is full");
            return keep_rest(c, answer.consumed) ? CONNECTION_DONE : CONNECTION_FAILED;
        case WS_UPGRADE_REFUSED:
            *asked_ms = answer.retry_after_s > 0 ? (int64_t)answer.retry_after_s * 1000 : 0;
            return CONNECTION_FAILED;
        case WS_UPGRADE_BROKEN:
            error_context(why, "WebSocket upgrade");
            return CONNECTION_FAILED;
        }
    }
}

/* ---- reading ---- */

enum connection_result connection_read(struct connection *c, size_t *got, struct error *why)
{
    size_t filled, room;
    uint8_t *window = ledger_window(c->ledger, &filled, &room);
    if (room == 0)
        return CONNECTION_FULL;
    enum stream_result result =
        stream_read(&c->stream, window + filled, room < READ_BYTES ? room : READ_BYTES, got, why);
    if (result != STREAM_OK)
        return stopped_by(c, result, "closed by the relay without a WebSocket close", why);
    ledger_filled(c->ledger, *got);
    return CONNECTION_DONE;
}

/* Ends the connection for the reason in *why, and tells the relay the code. */
static enum connection_result close_with(struct connection *c, uint16_t code)
{
    if (!c->is_close_sent)
        connection_say_goodbye(c, code);
    return CONNECTION_FAILED;
}

static enum connection_result on_close_frame(struct connection *c, const struct ws_item *item, struct error *why)
{
    int reason = item->len > 2 ? (int)(item->len - 2) : 0;
    error_set(why, "closed by the relay (code %u%s%.*s)", item->close_code, reason > 0 ? ": " : "", reason,
              reason > 0 ? (const char *)item->data + 2 : "");
    return close_with(c, item->close_code == WS_CLOSE_NO_STATUS ? WS_CLOSE_NORMAL : item->close_code);
}

enum connection_result connection_next(struct connection *c, struct connection_message *m, struct error *why)
{
    for (;;) {
        size_t filled, room;
        uint8_t *window = ledger_window(c->ledger, &filled, &room);
        if (filled == 0)
            return CONNECTION_WAITS;
        size_t len = filled;
        enum ws_result result = ws_reader_next(&c->reader, window, &len, &m->item, why);
        ledger_shrink(c->ledger, filled - len);
        if (result == WS_NEED_MORE)
            return CONNECTION_WAITS;
        if (result == WS_VIOLATION) {
            error_context(why, "protocol error");
            return close_with(c, c->reader.close_code);
        }
        switch (m->item.opcode) {
        case WS_BINARY:
            m->offset = (size_t)(m->item.data - window);
            return CONNECTION_DONE;
        case WS_TEXT:
            error_set(why, "protocol error: a text message, frames are binary");
            return close_with(c, WS_CLOSE_UNSUPPORTED);
        case WS_CLOSE:
            return on_close_frame(c, &m->item, why);
        case WS_PING:
            if (c->out.len < PONGS_BYTES)
                ws_append_frame(&c->out, WS_CLIENT, WS_PONG, m->item.data, m->item.len);
            if (connection_flush(c))
                break;
            error_set(why, "out of memory");
            return CONNECTION_FAILED;
        default: /* a pong: its bytes alone say that the relay is alive */
            break;
        }
        ledger_skip(c->ledger, m->item.consumed);
    }
}

/* The reader keeps a message of fragments: it cannot be read again from the window, as their headers are gone. */
void connection_put_back(struct connection *c, const struct connection_message *m)
{
    size_t filled, room;
    ws_reader_put_back(&c->reader, ledger_window(c->ledger, &filled, &room), &m->item);
}

bool connection_is_within_message(const struct connection *c)
{
    size_t filled, room;
    ledger_window(c->ledger, &filled, &room);
    return c->reader.in_message || filled > 0;
}

void connection_come_back(struct connection *c, bool has_more)
{
    if (has_more || stream_has_pending(&c->stream))
        event_active(c->readable, EV_READ, 0);
}

void connection_pause(struct connection *c)
{
    event_del(c->readable);
    c->is_paused = true;
}

void connection_resume(struct connection *c)
{
    c->is_paused = false;
    event_add(c->readable, NULL);
    event_active(c->readable, EV_READ, 0);
}
