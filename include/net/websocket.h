/* websocket.h: RFC 6455 framing, over bytes that the caller keeps in one contiguous window.
 *
 * The reader works in place: it never copies a message that came in one frame, and joins fragments by moving their
 * payloads together inside the window. So the socket's bytes can go straight into the ring, which keeps them until they
 * are committed.
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
    WS_CLOSE_NO_STATUS = 1005, /* never sent: it stands for a close frame without a code */
    WS_CLOSE_INVALID_DATA = 1007,
    WS_CLOSE_TOO_BIG = 1009,
};

enum ws_result {
    WS_NEED_MORE, /* there is no whole item yet: keep the window's base, append bytes, call again */
    WS_ITEM,      /* *item is filled */
    WS_VIOLATION, /* the peer broke the protocol: *why has the reason, reader->close_code the code to close with */
};

struct ws_item {
    enum ws_opcode opcode; /* WS_TEXT or WS_BINARY for a whole message, or a control frame */
    const uint8_t *data;   /* the unmasked payload, in the window; that of a close frame begins with its code */
    size_t len;
    uint16_t close_code;   /* WS_CLOSE only; WS_CLOSE_NO_STATUS if the frame has no code */
    /* Bytes of the window that the caller may drop after using the item. 0 for a control frame between the fragments of
     * a message: the window's base stays. */
    size_t consumed;
};

struct ws_reader {
    enum ws_role role;
    size_t max_message; /* bytes; the header of a longer message already gives WS_CLOSE_TOO_BIG */
    enum ws_close_code close_code;
    /* Inside a fragmented message, as offsets from the window's base:
     *
     *      [ header | joined payload      | gap    | not read yet ]
     *               └ message_at          │        └ scan
     *                 └─ message_len ─────┘
     *
     * The gap has the headers of joined fragments and the control frames between them. The reader closes the gap before
     * it asks for more bytes. */
    bool in_message;
    enum ws_opcode opcode;
    size_t message_at;
    size_t message_len;
    size_t scan;
    /* An item that was put back, and its place in the window. */
    bool is_put_back;
    struct ws_item item;
    size_t item_at;
};

void ws_reader_init(struct ws_reader *r, enum ws_role role, size_t max_message);

/* Takes the next item out of window[0..*len). The window must begin where the last `consumed` ended, and hold all bytes
 * since then; the caller appends new bytes.
 *
 * *len may become smaller: the fragments of a message move together, so the window ends earlier, and the next bytes
 * belong there. So a window never has more than max_message bytes, two headers and the bytes of one read, however the
 * peer fragments its messages. */
enum ws_result ws_reader_next(struct ws_reader *r, uint8_t *window, size_t *len, struct ws_item *item,
                              struct error *why);

/* Puts back the item just taken: the next ws_reader_next() gives it again. The caller must not drop its `consumed`
 * bytes. The window may move in memory and grow, but its bytes must not change. */
void ws_reader_put_back(struct ws_reader *r, const uint8_t *window, const struct ws_item *item);

/* Returns how many bytes the window needs before ws_reader_next() can return anything but WS_NEED_MORE, as far as the
 * header tells; at least len + 1. For sizing the window. */
size_t ws_reader_needs(const struct ws_reader *r, const uint8_t *window, size_t len);

/* Appends one whole frame (FIN set). A client's frame is masked with a key from the system's random source. If memory
 * or random bytes are short, sets out->failed and appends nothing. */
void ws_append_frame(struct buffer *out, enum ws_role role, enum ws_opcode opcode, const void *payload, size_t len);

/* Appends a close frame. Leaves out a code that must not be sent (0, WS_CLOSE_NO_STATUS), and cuts a long reason. */
void ws_append_close(struct buffer *out, enum ws_role role, uint16_t code, const char *reason);

/* Writes the header of an unmasked frame with a payload of len bytes, for a server whose payload lies elsewhere.
 * Returns the header's length (2, 4 or 10). */
size_t ws_server_header(uint8_t header[10], enum ws_opcode opcode, bool fin, size_t len);

#endif
