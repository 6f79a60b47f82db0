/* Frames. The input is one frame.
 *
 * What the worker parses, the master must have been able to route, and both see the same kind, seq and DID.
 * Slices and offsets lie inside the frame. A frame that parses has every proper prefix refused. */
#include "config.h"

#include <string.h>

#include "atproto/cid.h"
#include "atproto/frame.h"
#include "fuzz.h"

static const uint8_t *start;
static size_t length;

static void check_slice(const struct slice *s)
{
    if (s->ptr != NULL)
        must(s->ptr >= start && s->ptr <= start + length && s->len <= (size_t)(start + length - s->ptr));
}

static void check_cid(const uint8_t *cid)
{
    if (cid != NULL) {
        must(cid >= start && (size_t)(start + length - cid) >= CID_BYTES);
        must(cid_valid(cid, CID_BYTES));
    }
}

static void check_frame(const struct frame *f)
{
    const struct slice *slices[] = {&f->did,    &f->time,   &f->rev,  &f->since,  &f->blocks,
                                    &f->handle, &f->status, &f->name, &f->message};
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++)
        check_slice(slices[i]);
    check_cid(f->commit);
    check_cid(f->prev_data);
    must(f->op_count <= FRAME_MAX_OPS && f->seq >= 0);
    for (size_t i = 0; i < f->op_count; i++) {
        check_slice(&f->ops[i].path);
        check_cid(f->ops[i].cid);
        check_cid(f->ops[i].prev);
        must(f->ops[i].path.ptr != NULL && f->ops[i].action <= OP_DELETE);
    }
}

static bool is_routed(enum frame_kind kind)
{
    return kind == FRAME_COMMIT || kind == FRAME_SYNC || kind == FRAME_IDENTITY || kind == FRAME_ACCOUNT;
}

static void check_peek(const struct frame *f, const struct frame_peek *peek)
{
    must(peek->kind == f->kind);
    must(peek->did.ptr == f->did.ptr && peek->did.len == f->did.len);
    must(peek->seq == f->seq && (peek->has_seq || !is_routed(f->kind)));
    if (f->kind == FRAME_INFO || f->kind == FRAME_ERROR)
        must(peek->name.ptr == f->name.ptr && peek->message.ptr == f->message.ptr);
    if (f->kind == FRAME_COMMIT && f->op_count > 0 && peek->path.ptr != NULL)
        must(peek->path.ptr == f->ops[0].path.ptr && peek->path.len == f->ops[0].path.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame frame;
    struct frame_peek peek;
    struct violation why = {0}, peek_why = {0};
    start = data;
    length = size;
    bool parsed = frame_parse(data, size, &frame, &why), peeked = frame_peek(data, size, &peek, &peek_why);
    if (!peeked)
        must(peek_why.rule != NULL && peek_why.offset <= size);
    else
        check_slice(&peek.did), check_slice(&peek.action), check_slice(&peek.path);
    if (!parsed) {
        must(why.rule != NULL && why.offset <= size, "offset %zu", why.offset);
        return 0;
    }
    must(peeked, "%s at %zu", peek_why.rule, peek_why.offset);
    check_frame(&frame);
    check_peek(&frame, &peek);
    /* One prefix an input is enough: inputs are many. */
    if (size > 0)
        must(!frame_parse(data, (size_t)frame.seq % size, &frame, &why), "a prefix of a frame is a frame");
    return 0;
}
