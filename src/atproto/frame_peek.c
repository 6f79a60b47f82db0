/* frame_peek.c: in canonical order the fields stand in front of `blocks`, so the bulk of a frame is never touched.
 * Nothing here checks the order of keys; frame_parse() does. */
#include "config.h"

#include "atproto/frame_peek.h"

static bool read_seq(struct cbor_reader *r, struct frame_peek *peek)
{
    const uint8_t *before = r->at;
    struct cbor_token t;
    if (!cbor_next(r, &t))
        return false;
    if (t.kind == CBOR_UNSIGNED && t.value <= INT64_MAX) {
        peek->has_seq = true;
        peek->seq = (int64_t)t.value;
        return true;
    }
    if (peek->kind == FRAME_UNKNOWN) {
        r->at = before;
        return cbor_skip(r);
    }
    r->at = before;
    return cbor_fail(r, "seq is not an integer of 63 bits");
}

/* Reads a text into *slice. Skips any other item and leaves *slice alone. */
static bool read_text(struct cbor_reader *r, struct slice *slice)
{
    const uint8_t *before = r->at;
    struct cbor_token t;
    if (!cbor_next(r, &t))
        return false;
    if (t.kind == CBOR_TEXT) {
        *slice = frame_slice(&t);
        return true;
    }
    r->at = before;
    return cbor_skip(r);
}

static bool read_did(struct cbor_reader *r, struct frame_peek *peek)
{
    if (!read_text(r, &peek->did))
        return false;
    if (peek->kind != FRAME_UNKNOWN && peek->did.len > FRAME_MAX_DID)
        peek->did.len = 0;
    return true;
}

static bool read_path(struct cbor_reader *r, struct frame_peek *peek)
{
    if (!read_text(r, &peek->path))
        return false;
    if (!frame_path_fits(peek->path.ptr, peek->path.len))
        peek->path.len = 0;
    return true;
}

static bool read_op(struct cbor_reader *r, struct frame_peek *peek)
{
    struct cbor_token map, key;
    if (!cbor_expect(r, CBOR_MAP, &map, "op is not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++) {
        bool ok;
        if (!cbor_next_key(r, NULL, &key))
            return false;
        if (cbor_text_is(&key, "path"))
            ok = read_path(r, peek);
        else if (cbor_text_is(&key, "action"))
            ok = read_text(r, &peek->action);
        else
            ok = cbor_skip(r);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_ops(struct cbor_reader *r, struct frame_peek *peek)
{
    struct cbor_token array;
    /* Read like the first op, so that depth counts from the fields, as in frame_parse(). */
    struct frame_peek ignored = {0};
    if (!cbor_expect(r, CBOR_ARRAY, &array, "ops is not an array"))
        return false;
    for (uint64_t i = 0; i < array.value; i++)
        if (!read_op(r, i == 0 ? peek : &ignored))
            return false;
    return true;
}

static bool is_message(enum frame_kind kind) { return kind == FRAME_INFO || kind == FRAME_ERROR; }

static bool read_field(struct cbor_reader *r, const struct cbor_token *key, struct frame_peek *peek)
{
    bool commit = peek->kind == FRAME_COMMIT, unknown = peek->kind == FRAME_UNKNOWN;
    if (is_message(peek->kind)) {
        if (cbor_text_is(key, peek->kind == FRAME_INFO ? "name" : "error"))
            return read_text(r, &peek->name);
        return cbor_text_is(key, "message") ? read_text(r, &peek->message) : cbor_skip(r);
    }
    if (cbor_text_is(key, "seq"))
        return read_seq(r, peek);
    if ((commit || unknown) && cbor_text_is(key, "repo"))
        return read_did(r, peek);
    if (!commit && cbor_text_is(key, "did"))
        return read_did(r, peek);
    if (commit && cbor_text_is(key, "rev"))
        return read_text(r, &peek->rev);
    if (commit && cbor_text_is(key, "ops"))
        return read_ops(r, peek);
    return cbor_skip(r);
}

static bool read_body(struct cbor_reader *r, struct frame_peek *peek)
{
    struct cbor_token map, key;
    if (peek->kind == FRAME_UNKNOWN && r->at < r->end && *r->at >> 5 != CBOR_MAJOR_MAP)
        return true;
    if (!cbor_expect(r, CBOR_MAP, &map, "body is not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++) {
        if (!cbor_next_key(r, NULL, &key) || !read_field(r, &key, peek))
            return false;
        if (peek->has_seq && peek->did.ptr != NULL)
            return true;
    }
    if (is_message(peek->kind) || peek->kind == FRAME_UNKNOWN)
        return true;
    return cbor_fail(r, peek->has_seq ? "body has no DID" : "body has no seq");
}

bool frame_peek(const uint8_t *frame, size_t len, struct frame_peek *peek, struct violation *why)
{
    struct cbor_reader r;
    cbor_reader_init(&r, frame, len);
    memset(peek, 0, sizeof *peek);
    if (frame_header_read(&r, &peek->kind) && read_body(&r, peek))
        return true;
    *why = r.violation;
    return false;
}

bool frame_time(const uint8_t *frame, size_t len, struct slice *time)
{
    struct cbor_reader r;
    struct cbor_token map, key, value;
    enum frame_kind kind;
    cbor_reader_init(&r, frame, len);
    if (!frame_header_read(&r, &kind) || !cbor_expect(&r, CBOR_MAP, &map, "body is not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++) {
        if (!cbor_next_key(&r, NULL, &key))
            return false;
        if (!cbor_text_is(&key, "time")) {
            if (!cbor_skip(&r))
                return false;
            continue;
        }
        if (!cbor_next(&r, &value) || value.kind != CBOR_TEXT)
            return false;
        *time = frame_slice(&value);
        return true;
    }
    return false;
}
