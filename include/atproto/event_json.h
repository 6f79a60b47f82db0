/* event_json.h: from a frame to the JSON that consumers read (DESIGN.md §4), in one streaming pass: envelope,
 * CAR index, then each record's tokens straight into the output. No tree, no allocation per item. */
#ifndef FIREHOSED_ATPROTO_EVENT_JSON_H
#define FIREHOSED_ATPROTO_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cbor.h"
#include "atproto/collections.h"
#include "atproto/frame.h"
#include "base/buffer.h"

enum event_format { EVENT_FORMAT_COMPAT, EVENT_FORMAT_EXTENDED };

/* An event whose JSON is larger is refused. 200 ops of one commit may all name the same block of 2 MB: without a limit
 * such a frame becomes gigabytes, which Redis never takes (proto-max-bulk-len is 512 MB). Honest ones stay far below:
 * 2 MB of blocks (the lexicon's limit), each used once, are at most 12 MB, and only if all are control characters. */
enum { EVENT_MAX_JSON_BYTES = 16 << 20 };

/* Why an op was left out of "ops". */
enum op_drop {
    OP_DROP_NO_CID,        /* create or update without a cid */
    OP_DROP_NO_BLOCK,      /* its block is not in the CAR */
    OP_DROP_HASH_MISMATCH, /* SHA-256 of the block is not its CID */
    OP_DROP_NO_TYPE,       /* the record has no $type that is a non-empty text */
    OP_DROP_BAD_RECORD,    /* the record breaks a rule of DAG-CBOR or the data model, or is not a map */
    OP_DROPS,
};
const char *op_drop_name(enum op_drop reason); /* "no_cid", "no_block", … */

enum event_outcome {
    EVENT_READY,    /* JSON appended */
    EVENT_FILTERED, /* a kind that is not delivered (#sync in compat, unknown kinds), or no op passed the filter */
    EVENT_REFUSED,  /* the frame is malformed: see violation; nothing appended */
};

struct event {
    struct frame frame; /* valid for EVENT_READY and EVENT_FILTERED; slices point into the frame's bytes */
    unsigned dropped[OP_DROPS];
    unsigned filtered_ops; /* left out by the collection filter, undecoded */
    /* First op that was left out, for the log and the dead letter: */
    bool has_drop;
    enum op_drop first_drop;
    size_t first_drop_op;              /* index in frame.ops */
    struct violation first_drop_why;   /* offset in the frame; rule is never NULL when has_drop */
    struct violation violation;        /* EVENT_REFUSED */
};

struct event_encoder;

/* The scratch memory and hash objects of one thread. NULL: no memory. */
struct event_encoder *event_encoder_new(enum event_format format);
void event_encoder_free(struct event_encoder *e);
void event_encoder_set_format(struct event_encoder *e, enum event_format format);

/* Whether #sync is delivered in the compatible format, too; not unless this is called. */
void event_encoder_set_sync(struct event_encoder *e, bool emit_sync);

/* From now on only ops whose collection passes are delivered; the others cost no decoding. A commit of which none
 * passes is EVENT_FILTERED. What it points to stays the caller's. */
void event_encoder_set_filter(struct event_encoder *e, const struct collection_filter *filter);

/* Appends the event's JSON to `out` and fills *event. When memory is short out->failed is set and the outcome
 * is EVENT_REFUSED with the rule "out of memory". */
enum event_outcome event_encode(struct event_encoder *e, const uint8_t *frame, size_t len, struct buffer *out,
                                struct event *event);

/* Appends one DAG-CBOR item as AT Protocol JSON: the streaming heart of event_encode, on its own for tests and
 * tools. `r` is moved behind the item. Checks map order, depth, CIDs. False: r->violation. *has_type (may be
 * NULL) tells whether the item is a map with a "$type" that is a non-empty text. */
bool record_append_json(struct cbor_reader *r, struct buffer *out, bool *has_type);

#endif
