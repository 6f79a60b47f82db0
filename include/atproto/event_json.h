/* event_json.h: encodes a frame as the JSON that consumers read (README.md), in one streaming pass: envelope, CAR
 * index, then the tokens of each record straight into the output. It builds no tree and allocates nothing per item. */
#ifndef FIREHOSED_ATPROTO_EVENT_JSON_H
#define FIREHOSED_ATPROTO_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/collections.h"
#include "atproto/frame.h"
#include "base/buffer.h"

enum event_format { EVENT_FORMAT_COMPAT, EVENT_FORMAT_EXTENDED };

/* How large an event's JSON may become. A larger one is refused: 200 ops of one commit may all name the same block of 2
 * MB, and each control character there becomes six. Honest events are smaller than their frames. */
struct event_limits {
    size_t max_bytes;
    size_t max_growth; /* times the frame, and EVENT_FREE_GROWTH on top */
};
enum { EVENT_FREE_GROWTH = 1024 };
#define EVENT_USUAL_LIMITS ((struct event_limits){.max_bytes = 4 << 20, .max_growth = 8})

/* Why an op was left out of "ops". */
enum op_drop {
    OP_DROP_NO_CID,        /* the op is a create or update without a cid */
    OP_DROP_NO_BLOCK,      /* the CAR has no block for the cid */
    OP_DROP_HASH_MISMATCH, /* the SHA-256 of the block is not its CID */
    OP_DROP_NO_TYPE,       /* the record has no $type, or $type is not a non-empty text */
    OP_DROP_BAD_RECORD,    /* the record breaks a rule of DAG-CBOR or the data model, or is not a map */
    OP_DROPS,
};
const char *op_drop_name(enum op_drop reason); /* "no_cid", "no_block", … */

enum event_outcome {
    EVENT_READY,    /* the JSON was appended */
    EVENT_FILTERED, /* the kind is not delivered (#sync in compat, unknown kinds), or no op passed the filter */
    EVENT_REFUSED,  /* the frame is malformed, see violation; nothing was appended */
};

struct event {
    struct frame frame; /* valid for EVENT_READY and EVENT_FILTERED; slices point into the frame's bytes */
    unsigned dropped[OP_DROPS];
    unsigned filtered_ops; /* the collection filter left them out, and they were not decoded */
    /* The first op that was left out, for the log and the dead letter: */
    bool has_drop;
    enum op_drop first_drop;
    size_t first_drop_op;            /* index in frame.ops */
    struct violation first_drop_why; /* offset in the frame; rule is never NULL if has_drop */
    struct violation violation;      /* valid for EVENT_REFUSED */
};

struct event_encoder;

/* The scratch memory and hash objects of one thread. Returns NULL if memory is short. */
struct event_encoder *event_encoder_new(enum event_format format);
void event_encoder_free(struct event_encoder *e); /* NULL is fine */
void event_encoder_set_format(struct event_encoder *e, enum event_format format);
void event_encoder_set_limits(struct event_encoder *e, struct event_limits limits); /* default: EVENT_USUAL_LIMITS */

/* Sets whether the compatible format delivers #sync, too. The default is false. */
void event_encoder_set_sync(struct event_encoder *e, bool emit_sync);

/* Sets the filter: only ops whose collection passes are delivered, and the others are not decoded. A commit without a
 * passing op is EVENT_FILTERED. The pattern lists stay the caller's. */
void event_encoder_set_filter(struct event_encoder *e, const struct collection_filter *filter);

/* Appends the event's JSON to `out` and fills *event. If memory is short, sets out->failed and returns EVENT_REFUSED
 * with the rule "out of memory". */
enum event_outcome event_encode(struct event_encoder *e, const uint8_t *frame, size_t len, struct buffer *out,
                                struct event *event);

#endif
