/* websocket.h: RFC 6455 framing, over bytes that the caller keeps in one contiguous window.
 *
 * The reader works in place: it never copies a message that arrived in one frame, and joins fragments by moving
 * payloads together inside the window. So a relay's bytes can be read from the socket straight into the ring that
 * keeps them until they are committed.
 *
 *      window: [ header | payload                      ][ header | pay…
 *              └ base     └ item.data, item.len          └ base + item.consumed: the next window begins here
 *
 * Both roles are here: firehosed is a client, firehose-replay a server. */
#ifndef FIREHOSED_NET_WEBSOCKET_H
#define FIREHOSED_NET_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum ws_role { WS_CLIENT, WS_SERVER };

enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa,
};

/* RFC 6455 §7.4.1. */
enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL_ERROR = 1002,
    WS_CLOSE_UNSUPPORTED = 1003,
    WS_CLOSE_NO_STATUS = 1005, /* never sent: what a close frame without a code means */
    WS_CLOSE_INVALID_DATA = 1007,
    WS_CLOSE_TOO_BIG = 1009,
};

enum ws_result {
    WS_NEED_MORE, /* no whole item yet: keep the window's base, append bytes, call again */
    WS_ITEM,      /* *item is filled */
    WS_VIOLATION, /* the peer broke the protocol: *why says how, reader->close_code what to close with */
};

struct ws_item {
    enum ws_opcode opcode; /* WS_TEXT or WS_BINARY for a whole message, or a control frame */
    const uint8_t *data;   /* payload, in the window, unmasked; control frames too (a close's begins with its code) */
    size_t len;
    uint16_t close_code;   /* WS_CLOSE only; WS_CLOSE_NO_STATUS where there was none */
    /* How much of the window is done with once the item has been used. 0 for a control frame between the fragments
     * of a message: the window's base stays where it is. */
    size_t consumed;
};

struct ws_reader {
    enum ws_role role;
    size_t max_message; /* bytes; a longer message is WS_CLOSE_TOO_BIG, known from its header before it is read */
    enum ws_close_code close_code;
    /* Inside a fragmented message, as offsets from the window's base:
     *
     *      [ header | joined payload      | gap    | not looked at ]
     *               └ message_at          │        └ scan
     *                 └─ message_len ─────┘
     *
     * The gap (headers of fragments that were joined, control frames that were handed over) is closed before the
     * reader asks for more bytes. */
    bool in_message;
    enum ws_opcode opcode;
    size_t message_at;
    size_t message_len;
    size_t scan;
    /* An item that was put back, and where in the window it lies. */
    bool is_put_back;
    struct ws_item item;
    size_t item_at;
};

void ws_reader_init(struct ws_reader *r, enum ws_role role, size_t max_message);

/* Takes the next item out of window[0..*len). The window must begin where the last `consumed` ended, and hold all
 * bytes since, the new ones behind them.
 *
 * *len may come back smaller: the bytes of a fragmented message are moved down over what is between its fragments, and
 * the window then ends earlier; what the caller reads next belongs there. So a window never holds more than max_message
 * bytes, two headers and what one read brought, however the peer cuts its messages up. */
enum ws_result ws_reader_next(struct ws_reader *r, uint8_t *window, size_t *len, struct ws_item *item,
                              struct error *why);

/* The item just taken cannot be used now, and its `consumed` is not: the next ws_reader_next() gives it again. The
 * bytes of the window must lie untouched until then (its place in memory may change, and bytes may be added). */
void ws_reader_put_back(struct ws_reader *r, const uint8_t *window, const struct ws_item *item);

/* How many bytes the window must hold, at least, before ws_reader_next() can say more than WS_NEED_MORE (a frame's
 * header tells its length). For sizing the window; never less than len + 1. */
size_t ws_reader_needs(const struct ws_reader *r, const uint8_t *window, size_t len);

/* Appends one whole frame (FIN set). A client masks with a key from the system's random source. */
void ws_append_frame(struct buffer *out, enum ws_role role, enum ws_opcode opcode, const void *payload, size_t len);

/* Appends a close frame. A code that may not be sent (WS_CLOSE_NO_STATUS) is left out; a long reason is cut. */
void ws_append_close(struct buffer *out, enum ws_role role, uint16_t code, const char *reason);

/* Writes the header of an unmasked frame of len bytes: what a server puts in front of a payload that lies elsewhere.
 * Returns how many bytes were written (2, 4 or 10). */
size_t ws_server_header(uint8_t header[10], enum ws_opcode opcode, bool fin, size_t len);

#endif
