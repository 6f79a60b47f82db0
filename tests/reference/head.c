#include "config.h"

#include "head.h"

#include "item.h"

enum { TAG_LINK = 42 };

/* RFC 3629 §4, character by character. */
static bool is_utf8(const uint8_t *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < len;) {
        unsigned n = p[i] < 0x80 ? 1 : p[i] >> 5 == 6 ? 2 : p[i] >> 4 == 14 ? 3 : p[i] >> 3 == 30 ? 4 : 0;
        if (n == 0 || n > len - i)
            return false;
        uint32_t c = n == 1 ? p[i] : p[i] & (0x7fu >> n);
        for (unsigned k = 1; k < n; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            c = c << 6 | (p[i + k] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
        i += n;
    }
    return true;
}

static bool is_cid(const uint8_t *p)
{
    return p[0] == 1 && (p[1] == 0x71 || p[1] == 0x55) && p[2] == 0x12 && p[3] == 32;
}

/* Behind tag 42: the byte string 0x00 CID. The token becomes the CID itself. */
static bool read_link(const uint8_t *bytes, size_t len, const struct item *tag, struct cbor_token *token,
                      size_t *consumed)
{
    struct item item;
    const struct cbor_token *t = &item.token;
    if (tag->token.value != TAG_LINK || item_read(bytes, len, &item) != NULL || item.is_tag || t->kind != CBOR_BYTES ||
        t->len != 37 || t->data[0] != 0 || !is_cid(t->data + 1))
        return false;
    *consumed += item.len;
    *token = (struct cbor_token){.kind = CBOR_LINK, .value = 37, .data = t->data + 1, .len = 36};
    return true;
}

bool head_read(const uint8_t *bytes, size_t len, struct cbor_token *token, size_t *consumed)
{
    struct item item;
    if (item_read(bytes, len, &item) != NULL)
        return false;
    *token = item.token;
    *consumed = item.len;
    size_t left = len - item.len;
    if (item.is_tag)
        return read_link(bytes + item.len, left, &item, token, consumed);
    switch (token->kind) {
    case CBOR_NEGATIVE:
        return token->value <= INT64_MAX;
    case CBOR_ARRAY:
        return token->value <= left;
    case CBOR_MAP:
        return token->value <= left / 2;
    case CBOR_TEXT:
        return is_utf8(token->data, token->len);
    default:
        return true;
    }
}
