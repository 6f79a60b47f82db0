/* frame_header.h: the first of the two items of a frame, {op, t}, which says what kind of message the frame is.
 *
 * A frame is one message of com.atproto.sync.subscribeRepos: two DAG-CBOR items back to back, header and body
 * (atproto.com/specs/event-stream). */
#ifndef FIREHOSED_ATPROTO_FRAME_HEADER_H
#define FIREHOSED_ATPROTO_FRAME_HEADER_H

#include "atproto/cbor.h"

/* The path of the subscription on a relay or PDS. */
#define FRAME_SUBSCRIBE_PATH "/xrpc/com.atproto.sync.subscribeRepos"

enum frame_kind {
    FRAME_COMMIT,
    FRAME_SYNC,
    FRAME_IDENTITY,
    FRAME_ACCOUNT,
    FRAME_INFO,    /* has no seq */
    FRAME_ERROR,   /* op -1: the connection ends after it */
    FRAME_UNKNOWN, /* an unknown op or t (or #handle, #migrate, #tombstone): skip and count it */
    FRAME_KINDS,
};

/* Returns "commit", "sync", "identity", "account", "info", "error" or "unknown". */
const char *frame_kind_name(enum frame_kind kind);

/* A slice of the frame's bytes. ptr NULL: the field is absent or null. */
struct slice {
    const uint8_t *ptr;
    size_t len;
};

static inline struct slice frame_slice(const struct cbor_token *t)
{
    return (struct slice){.ptr = t->data, .len = t->len};
}

/* Reads {op, t} and leaves the reader at the body. An unknown op or t gives FRAME_UNKNOWN. Returns false if the header
 * breaks a rule; r->violation then has the rule. */
bool frame_header_read(struct cbor_reader *r, enum frame_kind *kind);

#endif
