/* relay_io.c: the relay's bytes. The hot one is read_frames(): socket to ring, ring to hook, no copy between.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay_internal.h"

enum {
    READ_BYTES = 256 * 1024, /* of one read; TLS gives at most a record of 16 KiB */
    READS_PER_TURN = 32,     /* then others get their turn: acks, signals, control */
    HEAD_BYTES = 4096,
    PONGS_BYTES = 64 * 1024, /* unread answers to pings; more are not made (RFC 6455 §5.5.3: the newest would do) */
};

static const char subscribe_path[] = "/xrpc/com.atproto.sync.subscribeRepos";

/* ---- writing ---- */

void relay_io_flush(struct relay *r)
{
    struct error why;
    while (r->out.len > 0) {
        size_t put = 0;
        switch (stream_write(&r->stream, r->out.data, r->out.len, &put, &why)) {
        case STREAM_OK:
            buffer_consume(&r->out, put);
            break;
        case STREAM_WANT_READ:
            return;
        case STREAM_WANT_WRITE:
            event_add(r->writable, NULL);
            return;
        case STREAM_EOF:
        case STREAM_ERROR:
            /* The reading side tells the better reason, and the relay's last words may still be there. */
            buffer_clear(&r->out);
            return;
        }
    }
    if (r->out.failed)
        relay_fail(r, "out of memory", 0);
}

/* ---- opening ---- */

static void send_request(struct relay *r)
{
    char path[URL_PATH_BYTES + sizeof subscribe_path + 32];
    bool bare = strcmp(r->url.path, "/") == 0 || r->url.path[0] == '\0';
    int n = snprintf(path, sizeof path, "%s", bare ? subscribe_path : r->url.path);
    struct optional cursor = r->hooks.cursor(r->hooks.arg);
    if (cursor.is_known) {
        snprintf(path + n, sizeof path - (size_t)n, "%ccursor=%" PRId64,
                 strchr(path, '?') != NULL ? '&' : '?', cursor.value);
        log_info("relay %s: asking for events after cursor %" PRId64, r->url.host, cursor.value);
    } else {
        log_info("relay %s: asking for live events, without a cursor", r->url.host);
    }
    ws_key_make(r->key);
    ws_append_request(&r->out, &r->url, path, r->key, PACKAGE_NAME "/" PACKAGE_VERSION);
    relay_enter(r, RELAY_UPGRADING);
    relay_io_flush(r);
}

static void shake_hands(struct relay *r)
{
    struct error why;
    switch (stream_handshake(&r->stream, &why)) {
    case STREAM_OK:
        event_add(r->readable, NULL);
        send_request(r);
        return;
    case STREAM_WANT_READ:
        event_add(r->readable, NULL);
        return;
    case STREAM_WANT_WRITE:
        event_add(r->writable, NULL);
        return;
    case STREAM_EOF:
        relay_fail(r, "TLS handshake: closed by the relay", 0);
        return;
    case STREAM_ERROR:
        relay_fail(r, why.text, 0);
        return;
    }
}

/* Bytes behind the head of the answer are WebSocket already: they go where the others will. */
static bool keep_rest(struct relay *r, size_t consumed)
{
    size_t rest = r->head.len - consumed, filled, room;
    uint8_t *window = ledger_window(r->ledger, &filled, &room);
    if (rest > room)
        return false;
    memcpy(window + filled, r->head.data + consumed, rest);
    ledger_filled(r->ledger, rest);
    buffer_fini(&r->head);
    return true;
}

static void read_answer(struct relay *r)
{
    struct error why;
    struct ws_upgrade_answer answer;
    size_t got = 0;
    if (!buffer_reserve(&r->head, HEAD_BYTES)) {
        relay_fail(r, "out of memory", 0);
        return;
    }
    switch (stream_read(&r->stream, r->head.data + r->head.len, HEAD_BYTES, &got, &why)) {
    case STREAM_OK:
        r->head.len += got;
        break;
    case STREAM_WANT_READ:
        return;
    case STREAM_WANT_WRITE:
        event_add(r->writable, NULL);
        return;
    case STREAM_EOF:
        relay_fail(r, "closed by the relay during the WebSocket upgrade", 0);
        return;
    case STREAM_ERROR:
        relay_fail(r, why.text, 0);
        return;
    }
    switch (ws_read_answer(r->head.data, r->head.len, r->key, &answer, &why)) {
    case WS_UPGRADE_NEED_MORE:
        relay_io_progress(r); /* TLS may hold more already */
        return;
    case WS_UPGRADE_DONE:
        if (!keep_rest(r, answer.consumed)) {
            relay_fail(r, "the ring is full", 0);
            return;
        }
        relay_is_established(r);
        relay_io_progress(r);
        return;
    case WS_UPGRADE_REFUSED:
        relay_fail(r, why.text, answer.retry_after_s > 0 ? (int64_t)answer.retry_after_s * 1000 : 0);
        return;
    case WS_UPGRADE_BROKEN:
        error_context(&why, "WebSocket upgrade");
        relay_fail(r, why.text, 0);
        return;
    }
}

/* ---- reading ---- */

/* Ends the connection for a reason of ours, and tells the relay which. */
static void close_with(struct relay *r, uint16_t code, const char *why)
{
    ws_append_close(&r->out, WS_CLIENT, code, "");
    relay_io_flush(r);
    relay_fail(r, why, 0);
}

static void on_close_frame(struct relay *r, const struct ws_item *item)
{
    char why[200];
    if (r->state != RELAY_CLOSING) {
        int reason = item->len > 2 ? (int)(item->len - 2) : 0;
        snprintf(why, sizeof why, "closed by the relay (code %u%s%.*s)", item->close_code,
                 reason > 0 ? ": " : "", reason, reason > 0 ? (const char *)item->data + 2 : "");
        close_with(r, item->close_code == WS_CLOSE_NO_STATUS ? WS_CLOSE_NORMAL : item->close_code, why);
        return;
    }
    relay_fail(r, "", 0);
}

/* One item out of the window. False: the connection is over, or the message has to wait. */
static bool take_item(struct relay *r, const uint8_t *window, const struct ws_item *item)
{
    switch (item->opcode) {
    case WS_BINARY:
        r->messages++;
        if (r->state == RELAY_CLOSING) { /* what comes after our close is read again next time */
            ledger_skip(r->ledger, item->consumed);
            return true;
        }
        return r->hooks.message(r->hooks.arg, item->data, (size_t)(item->data - window), item->len, item->consumed)
                   .verdict == RELAY_TAKEN;
    case WS_TEXT:
        close_with(r, WS_CLOSE_UNSUPPORTED, "protocol error: a text message, frames are binary");
        return false;
    case WS_PING:
        if (r->out.len < PONGS_BYTES)
            ws_append_frame(&r->out, WS_CLIENT, WS_PONG, item->data, item->len);
        ledger_skip(r->ledger, item->consumed);
        relay_io_flush(r);
        return r->state == RELAY_UP || r->state == RELAY_CLOSING;
    case WS_CLOSE:
        on_close_frame(r, item);
        return false;
    default: /* a pong: that bytes came is all it says */
        ledger_skip(r->ledger, item->consumed);
        return true;
    }
}

/* Hands over every whole message in the window. False: the connection is over, or a message has to wait. */
static bool take_items(struct relay *r)
{
    for (;;) {
        struct error why;
        struct ws_item item;
        size_t filled, room;
        uint8_t *window = ledger_window(r->ledger, &filled, &room);
        if (filled == 0)
            return true;
        size_t len = filled;
        enum ws_result result = ws_reader_next(&r->reader, window, &len, &item, &why);
        ledger_shrink(r->ledger, filled - len);
        if (result == WS_NEED_MORE)
            return true;
        if (result == WS_VIOLATION) {
            error_context(&why, "protocol error");
            close_with(r, r->reader.close_code, why.text);
            return false;
        }
        uint64_t connects = r->connects;
        bool taken = take_item(r, window, &item);
        if (r->connects != connects || (r->state != RELAY_UP && r->state != RELAY_CLOSING))
            return false;
        if (!taken) {
            /* Where it is still there it is to wait, and it may have been put together from fragments: their headers
             * are gone, it cannot be read again. */
            ledger_window(r->ledger, &filled, &room);
            if (filled == len)
                ws_reader_put_back(&r->reader, window, &item);
            return false;
        }
    }
}

static void pause_reading(struct relay *r)
{
    event_del(r->readable);
    r->is_paused = true;
    log_debug("relay %s: the ring is full, not reading", r->url.host);
}

/* One read into the ring. True: there may be more; *drained: there is no more now. */
static bool read_once(struct relay *r, bool *drained)
{
    struct error why;
    size_t filled, room, got = 0;
    uint8_t *window = ledger_window(r->ledger, &filled, &room);
    if (room == 0) {
        pause_reading(r);
        return false;
    }
    switch (stream_read(&r->stream, window + filled, room < READ_BYTES ? room : READ_BYTES, &got, &why)) {
    case STREAM_OK:
        ledger_filled(r->ledger, got);
        r->bytes += got;
        return take_items(r);
    case STREAM_WANT_READ:
        *drained = true;
        return false;
    case STREAM_WANT_WRITE:
        event_add(r->writable, NULL);
        return false;
    case STREAM_EOF:
        relay_fail(r, "closed by the relay without a WebSocket close", 0);
        return false;
    case STREAM_ERROR:
        relay_fail(r, why.text, 0);
        return false;
    }
    return false;
}

bool relay_io_is_within_message(struct relay *r)
{
    size_t filled, room;
    ledger_window(r->ledger, &filled, &room);
    return r->reader.in_message || filled > 0;
}

static void read_frames(struct relay *r)
{
    uint64_t before = r->bytes, connects = r->connects, messages = r->messages;
    int reads = 0;
    bool drained = false;
    /* What came with the upgrade's answer, or was left when there was no memory for it, is first. */
    bool more = take_items(r);
    while (more && reads < READS_PER_TURN) {
        more = read_once(r, &drained);
        reads++;
    }
    bool alive = r->connects == connects && (r->state == RELAY_UP || r->state == RELAY_CLOSING);
    if (alive && r->bytes != before) {
        r->last_byte_ms = clock_monotonic_ms();
        r->ping_sent = false;
        if (r->messages != messages || !relay_io_is_within_message(r))
            r->headway_ms = r->last_byte_ms;
    }
    /* What waits inside OpenSSL is not seen by the loop. Part of a record, which it has as well, is not waiting for us:
     * a relay that falls silent in the middle of one would keep the loop from everything else. */
    if (alive && !r->is_paused && (more || (!drained && stream_has_pending(&r->stream))))
        event_active(r->readable, EV_READ, 0);
    r->hooks.idle(r->hooks.arg);
}

void relay_resume(struct relay *r)
{
    if (!r->is_paused)
        return;
    r->is_paused = false;
    r->last_byte_ms = r->headway_ms = clock_monotonic_ms();
    event_add(r->readable, NULL);
    event_active(r->readable, EV_READ, 0);
    log_debug("relay %s: the ring has room, reading again", r->url.host);
}

/* ---- events ---- */

void relay_io_progress(struct relay *r)
{
    switch (r->state) {
    case RELAY_TLS:
        shake_hands(r);
        break;
    case RELAY_UPGRADING:
        read_answer(r);
        break;
    case RELAY_UP:
    case RELAY_CLOSING:
        if (!r->is_paused)
            read_frames(r);
        break;
    default:
        break;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    relay_io_progress(arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct relay *r = arg;
    if (r->state != RELAY_TLS)
        relay_io_flush(r);
    if (r->state != RELAY_BACKOFF && r->state != RELAY_STOPPED)
        relay_io_progress(r);
}

bool relay_io_attach(struct relay *r)
{
    r->readable = event_new(r->base, r->stream.fd, EV_READ | EV_PERSIST, on_readable, r);
    r->writable = event_new(r->base, r->stream.fd, EV_WRITE, on_writable, r);
    return r->readable != NULL && r->writable != NULL;
}
