/* frame_header.h: the first of a frame's two items, which both frame_peek() and frame_parse() begin with. */
#ifndef FIREHOSED_ATPROTO_FRAME_HEADER_H
#define FIREHOSED_ATPROTO_FRAME_HEADER_H

#include "atproto/frame.h"

/* Reads {op, t}; the reader is left at the body. An op or t that is not known is FRAME_UNKNOWN, no error. */
bool frame_header_read(struct cbor_reader *r, enum frame_kind *kind);

static inline struct slice frame_slice(const struct cbor_token *t)
{
    return (struct slice){.ptr = t->data, .len = t->len};
}

#endif
