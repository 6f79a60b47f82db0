/* From a frame to the event's JSON, against the reference (libcbor's tree, jansson, OpenSSL): tests/reference/.
 *
 * The first byte of the input says what the rest is: a whole frame, or a record that is wrapped into a commit whose
 * CIDs fit, for a mutated record would otherwise never get past its hash. In both formats the verdict, the drops and
 * each byte of the JSON must be the reference's; jansson must read it, and read what the frame says. */
#include "config.h"

#include <string.h>

#include "atproto/event_json.h"
#include "fuzz.h"
#include "reference.h"
#include "wire.h"

static void check(const uint8_t *frame, size_t len)
{
    static struct event_encoder *encoder;
    static struct event event;
    static struct buffer out;
    if (encoder == NULL)
        encoder = event_encoder_new(EVENT_FORMAT_COMPAT);
    for (int extended = 0; extended < 2; extended++) {
        event_encoder_set_format(encoder, extended ? EVENT_FORMAT_EXTENDED : EVENT_FORMAT_COMPAT);
        buffer_clear(&out);
        enum event_outcome outcome = event_encode(encoder, frame, len, &out, &event);
        const char *wrong = reference_disagrees(frame, len, extended, outcome, &event, out.data, out.len);
        must(wrong == NULL, "%s", wrong);
    }
}

static void check_record(const uint8_t *record, size_t len)
{
    static struct buffer frame, car;
    uint8_t cid[CID_BYTES];
    make_cid(cid, record, len);
    buffer_clear(&car);
    put_car_header(&car, cid);
    put_car_block(&car, cid, record, len);
    buffer_clear(&frame);
    put_header(&frame, "#commit");
    put_map(&frame, 7);
    put_text(&frame, "ops");
    put_array(&frame, 1);
    put_map(&frame, 3);
    put_text(&frame, "cid");
    put_link(&frame, cid);
    put_text_field(&frame, "path", "a.b.c/1");
    put_text_field(&frame, "action", "create");
    put_text_field(&frame, "rev", "3l");
    put_text(&frame, "seq");
    put_uint(&frame, 1);
    put_text_field(&frame, "repo", "did:plc:a");
    put_text_field(&frame, "time", "t");
    put_text(&frame, "blocks");
    put_bytes(&frame, car.data, car.len);
    put_text(&frame, "commit");
    put_link(&frame, cid);
    check(frame.data, frame.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        check_record(data + 1, size - 1);
    else
        check(data + 1, size - 1);
    return 0;
}
