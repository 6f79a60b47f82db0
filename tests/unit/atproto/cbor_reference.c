/* A second strict reader on libcbor's streaming decoder: slow, but independent of this project. */
#include "config.h"

#include "cbor_reference.h"

#include "atproto/cid.h"
#include "base/json_text.h"
#include "tests/reference/item.h"

enum { TAG_LINK = 42 };

/* Records a violation. The reader does not move. */
static bool read_item(struct cbor_reader *r, struct item *item)
{
    const char *rule = item_read(r->at, (size_t)(r->end - r->at), item);
    return rule == NULL || cbor_fail(r, rule);
}

/* Takes the byte string 0x00 CID that follows tag 42. The token is the CID itself. */
static bool read_link(struct cbor_reader *r, struct item *item)
{
    if (item->token.value != TAG_LINK)
        return cbor_fail(r, "a tag other than 42");
    r->at += item->len;
    if (!read_item(r, item))
        return false;
    struct cbor_token *t = &item->token;
    if (item->is_tag || t->kind != CBOR_BYTES || t->len != CID_BYTES + 1 || t->data[0] != 0x00 ||
        !cid_valid(t->data + 1, t->len - 1))
        return cbor_fail(r, "tag 42 without a valid CID");
    t->kind = CBOR_LINK;
    t->data++;
    t->len--;
    return true;
}

/* Checks the rules that depend on the kind. `left` counts the bytes behind the token. */
static bool check_token(struct cbor_reader *r, const struct cbor_token *t, size_t left)
{
    size_t bad;
    switch (t->kind) {
    case CBOR_NEGATIVE:
        return t->value <= INT64_MAX || cbor_fail(r, "integer below -2^63");
    case CBOR_ARRAY: /* an item has at least one byte */
        return t->value <= left || cbor_fail(r, "more items than bytes are left");
    case CBOR_MAP:
        return t->value <= left / 2 || cbor_fail(r, "more items than bytes are left");
    case CBOR_TEXT:
        if (utf8_valid(t->data, t->len, &bad))
            return true;
        r->at = t->data + bad;
        return cbor_fail(r, "text is not valid UTF-8");
    default:
        return true;
    }
}

bool reference_next(struct cbor_reader *r, struct cbor_token *t)
{
    struct item item;
    if (!read_item(r, &item))
        return false;
    if (item.is_tag && !read_link(r, &item))
        return false;
    if (!check_token(r, &item.token, (size_t)(r->end - r->at) - item.len))
        return false;
    r->at += item.len;
    *t = item.token;
    return true;
}
