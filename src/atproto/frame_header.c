#include "config.h"

#include "atproto/frame_header.h"

const char *frame_kind_name(enum frame_kind kind)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_COMMIT] = "commit", [FRAME_SYNC] = "sync",   [FRAME_IDENTITY] = "identity", [FRAME_ACCOUNT] = "account",
        [FRAME_INFO] = "info",     [FRAME_ERROR] = "error", [FRAME_UNKNOWN] = "unknown",
    };
    return names[kind];
}

static enum frame_kind message_kind(const struct cbor_token *t)
{
    static const struct {
        const char *t;
        enum frame_kind kind;
    } kinds[] = {
        {"#commit", FRAME_COMMIT}, {"#identity", FRAME_IDENTITY}, {"#account", FRAME_ACCOUNT},
        {"#sync", FRAME_SYNC},     {"#info", FRAME_INFO},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (cbor_text_is(t, kinds[i].t))
            return kinds[i].kind;
    return FRAME_UNKNOWN;
}

struct header {
    struct cbor_token op, t;
    bool has_op, has_t;
};

static bool read_op(struct cbor_reader *r, struct header *h)
{
    const uint8_t *before = r->at;
    h->has_op = true;
    if (!cbor_next(r, &h->op))
        return false;
    if (h->op.kind == CBOR_UNSIGNED || h->op.kind == CBOR_NEGATIVE)
        return true;
    r->at = before;
    return cbor_fail(r, "header: op is not an integer");
}

static bool read_fields(struct cbor_reader *r, struct header *h)
{
    struct cbor_token map, key, previous;
    if (!cbor_expect(r, CBOR_MAP, &map, "header is not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++, previous = key) {
        bool ok;
        if (!cbor_next_key(r, i > 0 ? &previous : NULL, &key))
            return false;
        if (cbor_text_is(&key, "op"))
            ok = read_op(r, h);
        else if (cbor_text_is(&key, "t"))
            ok = h->has_t = cbor_expect(r, CBOR_TEXT, &h->t, "header: t is not text");
        else
            ok = cbor_skip(r);
        if (!ok)
            return false;
    }
    return h->has_op || cbor_fail(r, "header has no op");
}

/* Recognises {"t": "#commit", "op": 1}, the header of nearly every frame, by its bytes. */
static bool is_usual_header(struct cbor_reader *r)
{
    static const uint8_t usual[] = "\xa2\x61t\x67#commit\x62op\x01";
    size_t len = sizeof usual - 1;
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, usual, len) != 0)
        return false;
    r->at += len;
    return true;
}

bool frame_header_read(struct cbor_reader *r, enum frame_kind *kind)
{
    struct header h = {0};
    *kind = FRAME_COMMIT;
    if (is_usual_header(r))
        return true;
    if (!read_fields(r, &h))
        return false;
    if (h.op.kind == CBOR_NEGATIVE) /* the number is -1 - value */
        *kind = h.op.value == 0 ? FRAME_ERROR : FRAME_UNKNOWN;
    else if (h.op.value != 1)
        *kind = FRAME_UNKNOWN;
    else if (!h.has_t)
        return cbor_fail(r, "header has no t");
    else
        *kind = message_kind(&h.t);
    return true;
}
