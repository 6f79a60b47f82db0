/* cbor.c: tokens with their checks, map keys in order, whole items. */
#include "config.h"

#include "atproto/cbor.h"

#include "base/json_text.h"
#include "cbor_token.h"

bool cbor_next(struct cbor_reader *r, struct cbor_token *t)
{
    size_t bad;
    if (!cbor_next_unchecked(r, t))
        return false;
    return t->kind != CBOR_TEXT || utf8_valid(t->data, t->len, &bad) || cbor_fail_text(r, t->data + bad);
}

bool cbor_expect(struct cbor_reader *r, enum cbor_kind kind, struct cbor_token *t, const char *rule)
{
    const uint8_t *before = r->at;
    if (!cbor_next(r, t))
        return false;
    if (t->kind == kind)
        return true;
    r->at = before;
    return cbor_fail(r, rule);
}

bool cbor_key_follows(const struct cbor_token *previous, const struct cbor_token *key)
{
    if (previous->len != key->len)
        return previous->len < key->len;
    if (key->len > 0 && previous->data[0] != key->data[0]) /* saves most keys the call */
        return previous->data[0] < key->data[0];
    return memcmp(previous->data, key->data, key->len) < 0;
}

bool cbor_next_key(struct cbor_reader *r, const struct cbor_token *previous, struct cbor_token *key)
{
    const uint8_t *before = r->at;
    if (!cbor_expect(r, CBOR_TEXT, key, "map key is not text"))
        return false;
    if (previous == NULL || cbor_key_follows(previous, key))
        return true;
    r->at = before;
    return cbor_fail(r, "map keys are not in order, or not unique");
}

/* An array or map that cbor_skip() is inside of. */
struct skip_level {
    bool is_map;
    bool is_first;
    uint64_t left; /* items, or pairs */
    struct cbor_token key;
};

static bool skip_key(struct cbor_reader *r, struct skip_level *l)
{
    struct cbor_token key;
    if (!cbor_next_key(r, l->is_first ? NULL : &l->key, &key))
        return false;
    l->key = key;
    l->is_first = false;
    return true;
}

bool cbor_skip(struct cbor_reader *r)
{
    struct skip_level levels[CBOR_MAX_DEPTH];
    size_t depth = 0;
    do {
        struct skip_level *l = depth > 0 ? &levels[depth - 1] : NULL;
        if (l != NULL && l->is_map && !skip_key(r, l))
            return false;
        if (l != NULL)
            l->left--;
        const uint8_t *before = r->at;
        struct cbor_token t;
        if (!cbor_next(r, &t))
            return false;
        if (t.kind == CBOR_ARRAY || t.kind == CBOR_MAP) {
            if (depth == CBOR_MAX_DEPTH) {
                r->at = before;
                return cbor_fail(r, CBOR_RULE_TOO_DEEP);
            }
            l = &levels[depth++];
            l->is_map = t.kind == CBOR_MAP;
            l->is_first = true;
            l->left = t.value;
        }
        while (depth > 0 && levels[depth - 1].left == 0)
            depth--;
    } while (depth > 0);
    return true;
}
