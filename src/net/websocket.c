/* websocket.c: takes messages and control frames out of a window of received bytes (RFC 6455 §5), in place.
 *
 * This is the first code that reads a relay's bytes, and all of them are hostile. It checks every length against the
 * window before it uses the length, and a message's size against its limit before it waits for the bytes. */
#include "config.h"

#include "net/websocket.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_text.h"
#include "ws_mask.h"

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126, /* two bytes of length follow */
    LENGTH_64 = 127, /* eight bytes of length follow */
    CONTROL_MAX = 125,
    HEADER_SHORT = 2, /* these bytes tell the length of the whole header */
};

/* A frame's header. */
struct header {
    bool fin;
    uint8_t opcode;
    const uint8_t *mask; /* NULL: not masked */
    uint64_t payload;
    size_t bytes; /* of the header itself */
};

void ws_reader_init(struct ws_reader *r, enum ws_role role, size_t max_message)
{
    *r = (struct ws_reader){.role = role, .max_message = max_message, .close_code = WS_CLOSE_PROTOCOL_ERROR};
}

static bool is_control(unsigned opcode) { return (opcode & 0x8) != 0; }

/* Reads a header. Returns false if it is not whole; h->bytes is then its length as far as that is known. */
static bool parse_header(const uint8_t *p, size_t left, struct header *h)
{
    *h = (struct header){.bytes = HEADER_SHORT};
    if (left < HEADER_SHORT)
        return false;
    unsigned length = p[1] & LENGTH;
    size_t extended = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
    bool masked = (p[1] & MASKED) != 0;
    h->bytes = HEADER_SHORT + extended + (masked ? WS_MASK_BYTES : 0);
    if (left < h->bytes)
        return false;
    h->fin = (p[0] & FIN) != 0;
    h->opcode = p[0] & OPCODE;
    h->payload = extended == 0 ? length : 0;
    for (size_t i = 0; i < extended; i++)
        h->payload = h->payload << 8 | p[HEADER_SHORT + i];
    if (masked)
        h->mask = p + HEADER_SHORT + extended;
    return true;
}

static enum ws_result violation(struct ws_reader *r, enum ws_close_code code)
{
    r->close_code = code;
    return WS_VIOLATION;
}

/* Checks the first two bytes of a header, before the rest has arrived. */
static bool check_start(const struct ws_reader *r, const uint8_t *p, struct error *why)
{
    unsigned opcode = p[0] & OPCODE;
    bool fin = (p[0] & FIN) != 0, masked = (p[1] & MASKED) != 0;
    if ((p[0] & RESERVED) != 0) /* §5.2: these bits belong to extensions, and none was negotiated */
        error_set(why, "a frame has reserved bits 0x%02x set", p[0] & RESERVED);
    else if (opcode != WS_CONTINUATION && opcode != WS_TEXT && opcode != WS_BINARY && opcode != WS_CLOSE &&
             opcode != WS_PING && opcode != WS_PONG)
        error_set(why, "a frame has unknown opcode 0x%x", opcode);
    else if (masked && r->role == WS_CLIENT)
        error_set(why, "the server sent a masked frame"); /* §5.1 */
    else if (!masked && r->role == WS_SERVER)
        error_set(why, "the client sent an unmasked frame");
    else if (is_control(opcode) && !fin)
        error_set(why, "the peer sent a fragmented control frame"); /* §5.5 */
    else if (is_control(opcode) && (p[1] & LENGTH) > CONTROL_MAX)
        error_set(why, "the peer sent a control frame of more than %d bytes", CONTROL_MAX);
    else if (opcode == WS_CONTINUATION && !r->in_message)
        error_set(why, "the peer sent a continuation without a message to continue"); /* §5.4 */
    else if ((opcode == WS_TEXT || opcode == WS_BINARY) && r->in_message)
        error_set(why, "the peer sent a new message inside a fragmented one");
    else
        return true;
    return false;
}

/* Checks the length. check_start() has checked that of a control frame. */
static enum ws_result check_length(struct ws_reader *r, const struct header *h, unsigned encoding, struct error *why)
{
    if (h->payload >> 63 != 0) {
        error_set(why, "a frame length has more than 63 bits");
        return violation(r, WS_CLOSE_PROTOCOL_ERROR);
    }
    /* §5.2: "the minimal number of bytes MUST be used". */
    if ((encoding == LENGTH_16 && h->payload <= CONTROL_MAX) || (encoding == LENGTH_64 && h->payload <= UINT16_MAX)) {
        error_set(why, "the frame length %" PRIu64 " has more bytes than it needs", h->payload);
        return violation(r, WS_CLOSE_PROTOCOL_ERROR);
    }
    size_t before = r->in_message ? r->message_len : 0;
    if (!is_control(h->opcode) && h->payload > r->max_message - before) {
        error_set(why, "a message has at least %" PRIu64 " bytes, more than the limit of %zu", h->payload + before,
                  r->max_message);
        return violation(r, WS_CLOSE_TOO_BIG);
    }
    return WS_ITEM;
}

/* Returns true for a code that an endpoint may send (§7.4). 1004–1006 and 1015 are never sent; 1016–2999 are
 * undefined. */
static bool is_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static enum ws_result check_close(struct ws_reader *r, struct ws_item *item, struct error *why)
{
    item->close_code = WS_CLOSE_NO_STATUS;
    if (item->len == 0)
        return WS_ITEM;
    if (item->len == 1) {
        error_set(why, "a close frame has half a code");
        return violation(r, WS_CLOSE_PROTOCOL_ERROR);
    }
    unsigned code = (unsigned)item->data[0] << 8 | item->data[1];
    if (!is_close_code(code)) {
        error_set(why, "a close frame has code %u, which may not be sent", code);
        return violation(r, WS_CLOSE_PROTOCOL_ERROR);
    }
    if (!utf8_valid(item->data + 2, item->len - 2, NULL)) {
        error_set(why, "a close frame has a reason that is not UTF-8");
        return violation(r, WS_CLOSE_INVALID_DATA);
    }
    item->close_code = (uint16_t)code;
    return WS_ITEM;
}

static enum ws_result check_text(struct ws_reader *r, const struct ws_item *item, struct error *why)
{
    if (item->opcode == WS_TEXT && !utf8_valid(item->data, item->len, NULL)) {
        error_set(why, "a text message is not UTF-8"); /* §8.1 */
        return violation(r, WS_CLOSE_INVALID_DATA);
    }
    return WS_ITEM;
}

/* ---- fragments ---- */

/* Moves the unread bytes down to the joined payload, so that the window becomes shorter. */
static void close_gap(struct ws_reader *r, uint8_t *window, size_t *len)
{
    size_t end = r->message_at + r->message_len;
    if (!r->in_message || r->scan == end)
        return;
    memmove(window + end, window + r->scan, *len - r->scan);
    *len -= r->scan - end;
    r->scan = end;
}

/* Joins the payload of a fragment to those before it. The first one stays in place. */
static void join(struct ws_reader *r, uint8_t *window, const struct header *h, size_t payload_at)
{
    if (!r->in_message) {
        r->in_message = true;
        r->opcode = h->opcode;
        r->message_at = payload_at;
        r->message_len = 0;
    } else if (h->payload > 0) {
        memmove(window + r->message_at + r->message_len, window + payload_at, (size_t)h->payload);
    }
    r->message_len += (size_t)h->payload;
}

/* ---- the reader ---- */

/* Takes a whole frame. Returns WS_NEED_MORE after a fragment that is not the last. */
static enum ws_result take_frame(struct ws_reader *r, uint8_t *window, const struct header *h, struct ws_item *item,
                                 struct error *why)
{
    size_t payload_at = r->scan + h->bytes, end = payload_at + (size_t)h->payload;
    if (h->mask != NULL)
        ws_mask(window + payload_at, window + payload_at, (size_t)h->payload, h->mask);
    *item = (struct ws_item){
        .opcode = h->opcode, .data = window + payload_at, .len = (size_t)h->payload, .consumed = end};
    if (is_control(h->opcode)) {
        r->scan = r->in_message ? end : 0;
        item->consumed = r->in_message ? 0 : end;
        return h->opcode == WS_CLOSE ? check_close(r, item, why) : WS_ITEM;
    }
    if (!h->fin || r->in_message) {
        join(r, window, h, payload_at);
        r->scan = end;
        if (!h->fin)
            return WS_NEED_MORE;
        item->opcode = r->opcode;
        item->data = window + r->message_at;
        item->len = r->message_len;
        r->in_message = false;
        r->scan = 0;
    }
    return check_text(r, item, why);
}

static enum ws_result give_again(struct ws_reader *r, const uint8_t *window, struct ws_item *item)
{
    r->is_put_back = false;
    *item = r->item;
    item->data = window + r->item_at;
    return WS_ITEM;
}

enum ws_result ws_reader_next(struct ws_reader *r, uint8_t *window, size_t *len, struct ws_item *item,
                              struct error *why)
{
    if (r->is_put_back)
        return give_again(r, window, item);
    for (;;) {
        struct header h;
        const uint8_t *p = window + r->scan;
        size_t left = *len - r->scan;
        bool whole = parse_header(p, left, &h);
        if (left >= HEADER_SHORT && !check_start(r, p, why))
            return violation(r, WS_CLOSE_PROTOCOL_ERROR);
        if (whole && check_length(r, &h, p[1] & LENGTH, why) == WS_VIOLATION)
            return WS_VIOLATION;
        if (!whole || h.payload > left - h.bytes) {
            close_gap(r, window, len);
            return WS_NEED_MORE;
        }
        enum ws_result result = take_frame(r, window, &h, item, why);
        if (result != WS_NEED_MORE)
            return result;
    }
}

void ws_reader_put_back(struct ws_reader *r, const uint8_t *window, const struct ws_item *item)
{
    r->is_put_back = true;
    r->item = *item;
    r->item_at = (size_t)(item->data - window);
}

size_t ws_reader_needs(const struct ws_reader *r, const uint8_t *window, size_t len)
{
    struct header h;
    size_t left = len > r->scan ? len - r->scan : 0;
    bool whole = left > 0 && parse_header(window + r->scan, left, &h);
    if (left == 0)
        h.bytes = HEADER_SHORT;
    /* Ignore an implausible length: ws_reader_next() has not checked it yet. */
    bool plausible = whole && (h.payload <= r->max_message || h.payload <= CONTROL_MAX);
    size_t needs = r->scan + h.bytes + (plausible ? (size_t)h.payload : 0);
    return needs > len ? needs : len + 1;
}
