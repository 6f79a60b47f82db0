/* ws_write.c: writes WebSocket frames (RFC 6455 §5.2). The declarations are in websocket.h. */
#include "config.h"

#include <errno.h>
#include <sys/random.h>

#include "base/json_text.h"
#include "net/websocket.h"
#include "ws_mask.h"

enum { FIN = 0x80, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127, LENGTH_7_MAX = 125, REASON_MAX = 123 };

size_t ws_server_header(uint8_t header[10], enum ws_opcode opcode, bool fin, size_t len)
{
    header[0] = (uint8_t)((fin ? FIN : 0) | opcode);
    if (len <= LENGTH_7_MAX) {
        header[1] = (uint8_t)len;
        return 2;
    }
    size_t extended = len <= UINT16_MAX ? 2 : 8;
    header[1] = extended == 2 ? LENGTH_16 : LENGTH_64;
    for (size_t i = 0; i < extended; i++)
        header[2 + i] = (uint8_t)((uint64_t)len >> 8 * (extended - 1 - i));
    return 2 + extended;
}

/* Makes an unpredictable key, a new one for each frame (§5.3, §10.3). */
static bool make_mask(uint8_t key[WS_MASK_BYTES])
{
    ssize_t n;
    do
        n = getrandom(key, WS_MASK_BYTES, 0);
    while (n < 0 && errno == EINTR);
    return n == WS_MASK_BYTES;
}

void ws_append_frame(struct buffer *out, enum ws_role role, enum ws_opcode opcode, const void *payload, size_t len)
{
    uint8_t header[10], key[WS_MASK_BYTES];
    size_t header_bytes = ws_server_header(header, opcode, true, len);
    /* Reserve room for the whole frame first: half a frame would be worse than none. */
    if (len > SIZE_MAX - sizeof header - sizeof key || !buffer_reserve(out, header_bytes + sizeof key + len))
        return;
    if (role == WS_SERVER) {
        buffer_append(out, header, header_bytes);
        buffer_append(out, payload, len);
        return;
    }
    if (!make_mask(key)) {
        out->failed = true;
        return;
    }
    header[1] |= MASKED;
    buffer_append(out, header, header_bytes);
    buffer_append(out, key, sizeof key);
    if (len > 0)
        ws_mask(out->data + out->len, payload, len, key);
    out->len += len;
}

void ws_append_close(struct buffer *out, enum ws_role role, uint16_t code, const char *reason)
{
    uint8_t payload[2 + REASON_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
    bool has_code = code != 0 && code != WS_CLOSE_NO_STATUS;
    size_t n = has_code ? utf8_fitting(reason, REASON_MAX) : 0;
    memcpy(payload + 2, reason, n);
    ws_append_frame(out, role, WS_CLOSE, payload, has_code ? 2 + n : 0);
}
