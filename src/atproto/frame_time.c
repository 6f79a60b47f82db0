/* When an event was sent, without anything else of it. */
#include "config.h"

#include "frame_header.h"

bool frame_time(const uint8_t *frame, size_t len, struct slice *time)
{
    struct cbor_reader r;
    struct cbor_token map, key, value;
    enum frame_kind kind;
    cbor_reader_init(&r, frame, len);
    if (!frame_header_read(&r, &kind) || !cbor_expect(&r, CBOR_MAP, &map, "body is not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++) {
        if (!cbor_next_key(&r, NULL, &key))
            return false;
        if (!cbor_text_is(&key, "time")) {
            if (!cbor_skip(&r))
                return false;
            continue;
        }
        if (!cbor_next(&r, &value) || value.kind != CBOR_TEXT)
            return false;
        *time = frame_slice(&value);
        return true;
    }
    return false;
}
