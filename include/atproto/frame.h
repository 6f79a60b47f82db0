/* frame.h: one message of com.atproto.sync.subscribeRepos: two DAG-CBOR items back to back, header
 * {op, t} and body (PROTOCOL.md "Frame"; atproto.com/specs/event-stream). */
#ifndef FIREHOSED_ATPROTO_FRAME_H
#define FIREHOSED_ATPROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cbor.h"

enum {
    FRAME_MAX_OPS = 200,              /* lexicon: ops.maxLength */
    FRAME_MAX_COMMIT_BLOCKS = 2000000, /* lexicon: #commit blocks.maxLength */
    FRAME_MAX_SYNC_BLOCKS = 10000,     /* lexicon: #sync blocks.maxLength */
};

enum frame_kind {
    FRAME_COMMIT,
    FRAME_SYNC,
    FRAME_IDENTITY,
    FRAME_ACCOUNT,
    FRAME_INFO,    /* no seq */
    FRAME_ERROR,   /* op -1: the connection ends after it */
    FRAME_UNKNOWN, /* an op or t that is not known (or #handle, #migrate, #tombstone): skip and count */
    FRAME_KINDS,
};

/* "commit", "sync", "identity", "account", "info", "error", "unknown". */
const char *frame_kind_name(enum frame_kind kind);

/* A slice of the frame's bytes. ptr NULL: absent or null. */
struct slice {
    const uint8_t *ptr;
    size_t len;
};

/* What the master needs: read without decoding the rest. */
struct frame_peek {
    enum frame_kind kind;
    bool has_seq;
    int64_t seq;
    struct slice did;     /* repo or did */
    struct slice rev;     /* commit: where it stands in front of repo, as it does in canonical order */
    struct slice name;    /* #info: name; error: error */
    struct slice message; /* #info and error */
    struct slice action;  /* commit: of the first op, for the dashboard */
    struct slice path;
};

/* Fills *peek from a frame. It stops as soon as it has what it needs, so a true answer does not mean that
 * the rest is well formed. For FRAME_UNKNOWN, seq and DID are filled where a body has them. False: the
 * frame cannot be read up to that point; *why tells. Costs one pass over the tokens in front of `repo`. */
bool frame_peek(const uint8_t *frame, size_t len, struct frame_peek *peek, struct violation *why);

/* The text of `time` alone: not on the way of every frame, but now and then of one that nobody else will read. False:
 * there is none, or the frame cannot be read up to it. */
bool frame_time(const uint8_t *frame, size_t len, struct slice *time);

enum op_action { OP_CREATE, OP_UPDATE, OP_DELETE };

struct frame_op {
    enum op_action action;
    struct slice path;   /* "<collection>/<rkey>" */
    const uint8_t *cid;  /* CID_BYTES, or NULL */
    const uint8_t *prev; /* CID_BYTES, or NULL */
};

/* The whole envelope, for the worker. Slices point into the frame. */
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
    /* Last, and only op_count of them are set: clearing all would cost more than parsing a usual frame. */
    struct frame_op ops[FRAME_MAX_OPS];
};

/* Parses header and body strictly; unknown keys are ignored (but must be well formed), required ones must be
 * there with the right type; bytes behind the body are an error. For FRAME_UNKNOWN only kind, and seq and did
 * where present, are filled. False: *why names the rule and the offset in the frame. */
bool frame_parse(const uint8_t *frame, size_t len, struct frame *out, struct violation *why);

#endif
