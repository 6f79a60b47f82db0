/* reference.h: what must come of a frame, said a second time: slowly, plainly, and with other means.
 *
 * The atproto room decodes a frame in one streaming pass without a tree. Here the frame becomes a tree of
 * libcbor's, which is strict DAG-CBOR if encoding it again in the canonical way gives the same bytes; the
 * event is built from the tree as text and as a tree of jansson's; UTF-8 is checked by jansson, digests and
 * base64 are OpenSSL's. Nothing is shared with the code under test but the names of kinds and drops. For the
 * fuzz targets and the differential tests.
 *
 * tests/lib/reference.py says the same a third time, with cbor2. */
#ifndef FIREHOSED_TESTS_REFERENCE_H
#define FIREHOSED_TESTS_REFERENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/event_json.h"

struct reference_event {
    enum event_outcome outcome;
    enum frame_kind kind; /* unless refused */
    int64_t seq;          /* of the four kinds that have one */
    char *text;           /* EVENT_READY: the JSON, ended; to be freed */
    size_t text_len;
    json_t *tree; /* the same, as jansson sees it; NULL where it cannot hold it (integers above 2^63 - 1) */
    unsigned dropped[OP_DROPS];
    bool has_drop;
    enum op_drop first_drop;
    size_t first_drop_op;
};

/* Fills *out from a frame; reference_event_fini() frees what is in it. */
void reference_event(const uint8_t *frame, size_t len, bool extended, struct reference_event *out);
void reference_event_fini(struct reference_event *event);

/* What the decoder made of the frame must be what the reference makes of it, and what a JSON parser reads
 * must be it too. NULL: it is. Else what is wrong, in one line, in a static buffer. */
const char *reference_disagrees(const uint8_t *frame, size_t len, bool extended, enum event_outcome outcome,
                                const struct event *event, const void *json, size_t json_len);

/* The JSON of one DAG-CBOR item at the start of the bytes, and its length in *consumed. NULL: it is not one.
 */
char *reference_item_text(const uint8_t *bytes, size_t len, size_t *consumed);

#endif
