#include "config.h"

#include "client_message.h"

#include "cbor_write.h"
#include "net/websocket.h"

static void append_message(struct buffer *out, const struct buffer *frame)
{
    ws_append_frame(out, WS_SERVER, WS_BINARY, frame->data, frame->len);
    out->failed |= frame->failed;
}

void append_error_message(struct buffer *out, const char *name, const char *message)
{
    struct buffer frame;
    buffer_init(&frame);
    cbor_write_map(&frame, 1);
    cbor_pair_int(&frame, "op", -1);
    cbor_write_map(&frame, 2);
    cbor_pair_text(&frame, "error", name);
    cbor_pair_text(&frame, "message", message);
    append_message(out, &frame);
    buffer_fini(&frame);
}

void append_info_message(struct buffer *out, const char *name, const char *message)
{
    struct buffer frame;
    buffer_init(&frame);
    cbor_write_map(&frame, 2);
    cbor_pair_text(&frame, "t", "#info");
    cbor_pair_int(&frame, "op", 1);
    cbor_write_map(&frame, 2);
    cbor_pair_text(&frame, "name", name);
    cbor_pair_text(&frame, "message", message);
    append_message(out, &frame);
    buffer_fini(&frame);
}
