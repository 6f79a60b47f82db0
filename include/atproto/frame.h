/* frame.h: a whole frame, parsed strictly, for the worker. */
#ifndef FIREHOSED_ATPROTO_FRAME_H
#define FIREHOSED_ATPROTO_FRAME_H

#include "atproto/frame_peek.h"

enum {
    FRAME_MAX_OPS = 200,               /* lexicon: ops.maxLength */
    FRAME_MAX_COMMIT_BLOCKS = 2000000, /* lexicon: #commit blocks.maxLength */
    FRAME_MAX_SYNC_BLOCKS = 10000,     /* lexicon: #sync blocks.maxLength */
};

enum op_action { OP_CREATE, OP_UPDATE, OP_DELETE };

struct frame_op {
    enum op_action action;
    struct slice path;   /* "<collection>/<rkey>" */
    const uint8_t *cid;  /* CID_BYTES, or NULL */
    const uint8_t *prev; /* CID_BYTES, or NULL */
};

/* Slices and CIDs point into the frame's bytes. */
struct frame {
    enum frame_kind kind;
    int64_t seq;
    struct slice did;
    struct slice time;
    struct slice rev;
    struct slice since;
    const uint8_t *commit;    /* CID_BYTES, or NULL */
    const uint8_t *prev_data; /* CID_BYTES, or NULL */
    struct slice blocks;      /* may be empty */
    struct slice handle;
    struct slice status;
    struct slice name;    /* #info: name; error: error */
    struct slice message; /* #info and error */
    bool active;
    bool too_big;
    size_t op_count;
    /* Last in the struct, and only op_count of them are set: clearing all of them costs more than parsing a usual
     * frame. */
    struct frame_op ops[FRAME_MAX_OPS];
};

/* Parses header and body. Unknown keys are ignored, but must be well formed. Required keys must be there with the right
 * type. Bytes behind the body are an error. For FRAME_UNKNOWN it fills only kind, and seq and DID if the body has them.
 * Returns false on failure; *why then has the rule and its offset in the frame. */
bool frame_parse(const uint8_t *frame, size_t len, struct frame *out, struct violation *why);

#endif
