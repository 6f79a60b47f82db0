/* record_json.c: writes each token as it is read. One pass over a text finds both what needs an escape and what is not
 * UTF-8.
 *
 * Invariants: `depth` containers are open, the innermost is levels[depth - 1]. A level's `left` counts the items (or
 * pairs) to read. There is no recursion: CBOR_MAX_DEPTH bounds the nesting, not the stack of the process. */
#include "config.h"

#include "atproto/record_json.h"

#include "atproto/cid.h"
#include "base/json_text.h"
#include "cbor_token.h"

struct level {
    bool is_map;
    bool is_first;
    uint64_t left;
    struct cbor_token key; /* the last key; unset while is_first */
};

struct transcoder {
    struct cbor_reader *r;
    struct buffer *out;
    bool has_type;
    size_t depth;
    struct level levels[CBOR_MAX_DEPTH];
};

static bool open_level(struct transcoder *x, const struct cbor_token *t)
{
    if (x->depth == CBOR_MAX_DEPTH)
        return false;
    struct level *l = &x->levels[x->depth++];
    l->is_map = t->kind == CBOR_MAP;
    l->is_first = true;
    l->left = t->value;
    buffer_append_byte(x->out, l->is_map ? '{' : '[');
    return true;
}

static void append_link(struct buffer *out, const uint8_t *cid)
{
    buffer_append_literal(out, "{\"$link\":\"");
    cid_append_text(out, cid);
    buffer_append_literal(out, "\"}");
}

static void append_bytes(struct buffer *out, const struct cbor_token *t)
{
    buffer_append_literal(out, "{\"$bytes\":\"");
    json_append_base64(out, t->data, t->len, false);
    buffer_append_literal(out, "\"}");
}

/* Appends a text whose UTF-8 was not checked before. */
static bool append_text(struct transcoder *x, const struct cbor_token *t)
{
    size_t bad;
    return json_append_text(x->out, t->data, t->len, &bad) || cbor_fail_text(x->r, t->data + bad);
}

/* Appends a token that is a whole item. */
static bool append_scalar(struct transcoder *x, const struct cbor_token *t)
{
    struct buffer *out = x->out;
    switch (t->kind) {
    case CBOR_UNSIGNED:
        buffer_append_unsigned(out, t->value);
        break;
    case CBOR_NEGATIVE:
        buffer_append_signed(out, -1 - (int64_t)t->value);
        break;
    case CBOR_TEXT:
        return append_text(x, t);
    case CBOR_BYTES:
        append_bytes(out, t);
        break;
    case CBOR_LINK:
        append_link(out, t->data);
        break;
    case CBOR_BOOL:
        buffer_append_text(out, t->value != 0 ? "true" : "false");
        break;
    default:
        buffer_append_literal(out, "null");
        break;
    }
    return true;
}

static bool append_value(struct transcoder *x, struct cbor_token *t)
{
    const uint8_t *before = x->r->at;
    if (!cbor_next_unchecked(x->r, t))
        return false;
    if (t->kind != CBOR_ARRAY && t->kind != CBOR_MAP)
        return append_scalar(x, t);
    if (open_level(x, t))
        return true;
    x->r->at = before;
    return cbor_fail(x->r, CBOR_RULE_TOO_DEEP);
}

/* Appends a key. Like cbor_next_key(), it checks the order last. */
static bool append_key(struct transcoder *x, struct level *l)
{
    const uint8_t *before = x->r->at;
    struct cbor_token key;
    if (!cbor_next_unchecked(x->r, &key))
        return false;
    const char *rule = NULL;
    if (key.kind != CBOR_TEXT)
        rule = "map key is not text";
    else if (!append_text(x, &key))
        return false;
    else if (!l->is_first && !cbor_key_follows(&l->key, &key))
        rule = "map keys are not in order, or not unique";
    if (rule != NULL) {
        x->r->at = before;
        return cbor_fail(x->r, rule);
    }
    l->key = key;
    buffer_append_byte(x->out, ':');
    return true;
}

static void close_finished_levels(struct transcoder *x)
{
    while (x->depth > 0 && x->levels[x->depth - 1].left == 0) {
        x->depth--;
        buffer_append_byte(x->out, x->levels[x->depth].is_map ? '}' : ']');
    }
}

/* Appends the next item of the innermost container. */
static bool append_item(struct transcoder *x)
{
    struct level *l = &x->levels[x->depth - 1];
    bool in_top_map = x->depth == 1 && l->is_map;
    struct cbor_token value;
    if (!l->is_first)
        buffer_append_byte(x->out, ',');
    if (l->is_map && !append_key(x, l))
        return false;
    l->is_first = false;
    l->left--;
    if (!append_value(x, &value))
        return false;
    if (in_top_map && value.kind == CBOR_TEXT && value.len > 0 && cbor_text_is(&l->key, "$type"))
        x->has_type = true;
    return true;
}

bool record_append_json(struct cbor_reader *r, struct buffer *out, bool *has_type)
{
    struct transcoder x; /* open_level() sets the levels: clearing them would cost more than most records */
    struct cbor_token top;
    size_t before = out->len;
    x.r = r;
    x.out = out;
    x.has_type = false;
    x.depth = 0;
    bool ok = append_value(&x, &top);
    close_finished_levels(&x);
    while (ok && x.depth > 0) {
        ok = append_item(&x);
        close_finished_levels(&x);
    }
    if (!ok)
        out->len = before;
    if (has_type != NULL)
        *has_type = ok && x.has_type;
    return ok;
}
