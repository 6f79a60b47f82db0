#include "config.h"

#include "atproto/event_json.h"

#include <stdlib.h>
#include <string.h>

#include "atproto/car.h"
#include "atproto/cid.h"
#include "atproto/record_json.h"
#include "base/json_text.h"
#include "base/sha256.h"

struct event_encoder {
    enum event_format format;
    struct event_limits limits;
    bool emit_sync;
    bool is_filtering;
    struct collection_filter filter;
    struct sha256 *sha256;
    struct car_index car;
};

/* The state of encoding one event. */
struct encoding {
    struct event_encoder *encoder;
    const uint8_t *start; /* of the frame: offsets count from here */
    struct buffer *out;
    size_t before; /* length of `out` before this event */
    size_t room;   /* for its JSON */
    struct event *event;
    bool extended;
};

const char *op_drop_name(enum op_drop reason)
{
    static const char *const names[OP_DROPS] = {
        [OP_DROP_NO_CID] = "no_cid",
        [OP_DROP_NO_BLOCK] = "no_block",
        [OP_DROP_HASH_MISMATCH] = "hash_mismatch",
        [OP_DROP_NO_TYPE] = "no_type",
        [OP_DROP_BAD_RECORD] = "bad_record",
    };
    return names[reason];
}

struct event_encoder *event_encoder_new(enum event_format format)
{
    struct event_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->format = format;
    e->limits = EVENT_USUAL_LIMITS;
    e->sha256 = sha256_new();
    if (e->sha256 == NULL) {
        event_encoder_free(e);
        return NULL;
    }
    return e;
}

void event_encoder_free(struct event_encoder *e)
{
    if (e == NULL)
        return;
    sha256_free(e->sha256);
    car_index_fini(&e->car);
    free(e);
}

void event_encoder_set_format(struct event_encoder *e, enum event_format format) { e->format = format; }

void event_encoder_set_limits(struct event_encoder *e, struct event_limits limits) { e->limits = limits; }

void event_encoder_set_sync(struct event_encoder *e, bool emit_sync) { e->emit_sync = emit_sync; }

void event_encoder_set_filter(struct event_encoder *e, const struct collection_filter *filter)
{
    e->filter = *filter;
    e->is_filtering = !collections_are_empty(filter->wanted) || !collections_are_empty(filter->unwanted);
}

/* frame_parse() has checked that the text members of an event are valid UTF-8. */
#define append_text_member(out, literal_name, slice)                                                         \
    do {                                                                                                     \
        buffer_append_literal(out, literal_name);                                                            \
        json_append_string(out, (slice).ptr, (slice).len);                                                   \
    } while (0)

#define append_cid_member(out, literal_name, cid)                                                            \
    do {                                                                                                     \
        buffer_append_literal(out, literal_name "\"");                                                       \
        cid_append_text(out, cid);                                                                           \
        buffer_append_byte(out, '"');                                                                        \
    } while (0)

static bool drop(struct encoding *x, size_t op, enum op_drop reason, struct violation why)
{
    struct event *event = x->event;
    event->dropped[reason]++;
    if (!event->has_drop) {
        event->has_drop = true;
        event->first_drop = reason;
        event->first_drop_op = op;
        event->first_drop_why = why;
    }
    return false;
}

static bool drop_at(struct encoding *x, size_t op, enum op_drop reason, const char *rule, const uint8_t *at)
{
    return drop(x, op, reason, (struct violation){.rule = rule, .offset = (size_t)(at - x->start)});
}

/* Checks that the block has the hash that its CID claims. */
static bool block_is_authentic(struct encoding *x, const struct car_block *block)
{
    uint8_t digest[CID_DIGEST_BYTES];
    return sha256_digest(x->encoder->sha256, block->data, block->len, digest) &&
           memcmp(digest, block->cid + CID_DIGEST_OFFSET, sizeof digest) == 0;
}

static bool append_record(struct encoding *x, size_t op, const struct car_block *block)
{
    struct cbor_reader r = {.start = x->start, .at = block->data, .end = block->data + block->len};
    struct cbor_reader look = r;
    struct cbor_token top;
    bool has_type;
    if (!cbor_expect(&look, CBOR_MAP, &top, "record is not a map"))
        return drop(x, op, OP_DROP_BAD_RECORD, look.violation);
    if (!record_append_json(&r, x->out, &has_type) ||
        (r.at != r.end && !cbor_fail(&r, "bytes behind the record")))
        return drop(x, op, OP_DROP_BAD_RECORD, r.violation);
    return has_type || drop_at(x, op, OP_DROP_NO_TYPE, "record has no $type", block->data);
}

/* Appends "cid" and "record" of a create or update. Returns false if the op was dropped. */
static bool append_content(struct encoding *x, size_t i, const struct frame_op *op)
{
    if (op->cid == NULL)
        return drop_at(x, i, OP_DROP_NO_CID, "op has no cid", op->path.ptr);
    const struct car_block *block = car_index_find(&x->encoder->car, op->cid);
    if (block == NULL)
        return drop_at(x, i, OP_DROP_NO_BLOCK, "the block of the op's cid is not there", op->cid);
    if (!block_is_authentic(x, block))
        return drop_at(x, i, OP_DROP_HASH_MISMATCH, "SHA-256 of the block is not its CID", block->data);
    if (op->cid[1] != CID_CODEC_DAG_CBOR)
        return drop_at(x, i, OP_DROP_BAD_RECORD, "the op's cid is not one of DAG-CBOR", op->cid);
    append_cid_member(x->out, ",\"cid\":", op->cid);
    if (x->extended && op->prev != NULL)
        append_cid_member(x->out, ",\"prev\":", op->prev);
    buffer_append_literal(x->out, ",\"record\":");
    return append_record(x, i, block);
}

static bool append_op(struct encoding *x, size_t i, const struct frame_op *op)
{
    static const char *const heads[] = {
        [OP_CREATE] = "{\"action\":\"create\",\"path\":",
        [OP_UPDATE] = "{\"action\":\"update\",\"path\":",
        [OP_DELETE] = "{\"action\":\"delete\",\"path\":",
    };
    buffer_append_text(x->out, heads[op->action]);
    json_append_string(x->out, op->path.ptr, op->path.len);
    if (op->action != OP_DELETE) {
        if (!append_content(x, i, op))
            return false;
    } else if (x->extended && op->prev != NULL) {
        append_cid_member(x->out, ",\"prev\":", op->prev);
    }
    buffer_append_byte(x->out, '}');
    return true;
}

static bool passes(const struct encoding *x, const struct frame_op *op)
{
    const struct event_encoder *e = x->encoder;
    return !e->is_filtering || collection_passes(&e->filter, op->path.ptr, op->path.len);
}

/* Counts the ops that the filter leaves out, before the blocks are indexed. Returns true if no op passes. */
static bool none_passes(struct encoding *x)
{
    const struct frame *f = &x->event->frame;
    unsigned filtered = 0;
    for (size_t i = 0; x->encoder->is_filtering && i < f->op_count; i++)
        filtered += !passes(x, &f->ops[i]);
    x->event->filtered_ops = filtered;
    return x->encoder->is_filtering && filtered == f->op_count;
}

/* Returns false if the event is too large. `at` is the place in the frame that made it so. */
static bool fits(struct encoding *x, const uint8_t *at)
{
    if (x->out->len - x->before <= x->room)
        return true;
    bool is_absolute = x->room == x->encoder->limits.max_bytes;
    x->event->violation = (struct violation){.rule = is_absolute ? "event is larger than event_max_size as JSON"
                                                                 : "event grows more than event_max_growth as JSON",
                                             .offset = (size_t)(at - x->start)};
    return false;
}

/* Appends the ops. Takes back an op that was dropped, and goes on with the others. Returns false if the event is too
 * large. */
static bool append_ops(struct encoding *x)
{
    const struct frame *f = &x->event->frame;
    buffer_append_literal(x->out, ",\"ops\":[");
    bool is_first = true;
    for (size_t i = 0; i < f->op_count; i++) {
        size_t before = x->out->len;
        if (x->event->filtered_ops > 0 && !passes(x, &f->ops[i]))
            continue;
        if (!is_first)
            buffer_append_byte(x->out, ',');
        if (append_op(x, i, &f->ops[i]))
            is_first = false;
        else
            x->out->len = before;
        if (!fits(x, f->ops[i].path.ptr))
            return false;
    }
    buffer_append_byte(x->out, ']');
    return true;
}

static void append_commit_details(struct buffer *out, const struct frame *f)
{
    append_text_member(out, ",\"rev\":", f->rev);
    if (f->since.ptr != NULL)
        append_text_member(out, ",\"since\":", f->since);
    else
        buffer_append_literal(out, ",\"since\":null");
    append_text_member(out, ",\"time\":", f->time);
    append_cid_member(out, ",\"commit\":", f->commit);
    if (f->prev_data != NULL)
        append_cid_member(out, ",\"prevData\":", f->prev_data);
}

/* tooBig commits, and some commits that only delete, have no blocks. */
static bool index_blocks(struct encoding *x)
{
    const struct slice *blocks = &x->event->frame.blocks;
    car_index_clear(&x->encoder->car);
    if (blocks->len == 0)
        return true;
    struct cbor_reader r = {.start = x->start, .at = blocks->ptr, .end = blocks->ptr + blocks->len};
    if (car_index_read(&x->encoder->car, &r))
        return true;
    x->event->violation = r.violation;
    x->out->failed |= x->encoder->car.no_memory; /* the frame is not to blame: it is tried again */
    return false;
}

static bool append_commit(struct encoding *x)
{
    const struct frame *f = &x->event->frame;
    if (!index_blocks(x))
        return false;
    append_text_member(x->out, "{\"repo\":", f->did);
    if (x->extended)
        append_commit_details(x->out, f);
    if (!append_ops(x))
        return false;
    buffer_append_byte(x->out, '}');
    return true;
}

static void append_identity(struct encoding *x)
{
    const struct frame *f = &x->event->frame;
    append_text_member(x->out, "{\"did\":", f->did);
    append_text_member(x->out, ",\"handle\":", f->handle.len > 0 ? f->handle : f->did);
    if (x->extended)
        append_text_member(x->out, ",\"time\":", f->time);
    buffer_append_byte(x->out, '}');
}

static void append_account(struct encoding *x)
{
    const struct frame *f = &x->event->frame;
    append_text_member(x->out, "{\"did\":", f->did);
    buffer_append_text(x->out, f->active ? ",\"active\":true" : ",\"active\":false");
    if (x->extended && f->status.ptr != NULL)
        append_text_member(x->out, ",\"status\":", f->status);
    if (x->extended)
        append_text_member(x->out, ",\"time\":", f->time);
    buffer_append_byte(x->out, '}');
}

static void append_sync(struct encoding *x)
{
    const struct frame *f = &x->event->frame;
    append_text_member(x->out, "{\"did\":", f->did);
    append_text_member(x->out, ",\"rev\":", f->rev);
    append_text_member(x->out, ",\"time\":", f->time);
    buffer_append_byte(x->out, '}');
}

static size_t room_for(const struct event_limits *limits, size_t len)
{
    size_t grown = len * limits->max_growth + EVENT_FREE_GROWTH;
    return grown < limits->max_bytes ? grown : limits->max_bytes;
}

static enum event_outcome append_event(struct encoding *x)
{
    switch (x->event->frame.kind) {
    case FRAME_COMMIT:
        if (none_passes(x))
            return EVENT_FILTERED;
        return append_commit(x) ? EVENT_READY : EVENT_REFUSED;
    case FRAME_IDENTITY:
        append_identity(x);
        return EVENT_READY;
    case FRAME_ACCOUNT:
        append_account(x);
        return EVENT_READY;
    case FRAME_SYNC:
        if (!x->extended && !x->encoder->emit_sync)
            return EVENT_FILTERED;
        append_sync(x);
        return EVENT_READY;
    default:
        return EVENT_FILTERED;
    }
}

/* Clears all but the frame: it is too large to clear every time, and frame_parse() sets what is needed. */
static void clear_event(struct event *event)
{
    memset(event->dropped, 0, sizeof event->dropped);
    event->filtered_ops = 0;
    event->has_drop = false;
    event->first_drop_op = 0;
    event->first_drop_why = event->violation = (struct violation){0};
}

enum event_outcome event_encode(struct event_encoder *e, const uint8_t *frame, size_t len, struct buffer *out,
                                struct event *event)
{
    struct encoding x = {.encoder = e, .start = frame, .out = out, .before = out->len, .event = event,
                         .room = room_for(&e->limits, len), .extended = e->format == EVENT_FORMAT_EXTENDED};
    clear_event(event);
    if (!frame_parse(frame, len, &event->frame, &event->violation))
        return EVENT_REFUSED;
    enum event_outcome outcome = append_event(&x);
    if (outcome == EVENT_READY && !fits(&x, frame))
        outcome = EVENT_REFUSED;
    if (out->failed) {
        event->violation = (struct violation){.rule = "out of memory"};
        outcome = EVENT_REFUSED;
    }
    if (outcome == EVENT_REFUSED)
        out->len = x.before;
    return outcome;
}
