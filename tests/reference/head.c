#include "config.h"

#include "head.h"

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

struct seen {
    bool is_good; /* one of the items that DAG-CBOR has */
    bool is_tag;
    struct cbor_token token;
};

static void good(void *seen, enum cbor_kind kind, uint64_t value, const uint8_t *data, size_t len)
{
    *(struct seen *)seen =
        (struct seen){.is_good = true, .token = {.kind = kind, .value = value, .data = data, .len = len}};
}

static void on_u8(void *s, uint8_t v)
{
    good(s, CBOR_UNSIGNED, v, NULL, 0);
}
static void on_u16(void *s, uint16_t v)
{
    good(s, CBOR_UNSIGNED, v, NULL, 0);
}
static void on_u32(void *s, uint32_t v)
{
    good(s, CBOR_UNSIGNED, v, NULL, 0);
}
static void on_u64(void *s, uint64_t v)
{
    good(s, CBOR_UNSIGNED, v, NULL, 0);
}
static void on_n8(void *s, uint8_t v)
{
    good(s, CBOR_NEGATIVE, v, NULL, 0);
}
static void on_n16(void *s, uint16_t v)
{
    good(s, CBOR_NEGATIVE, v, NULL, 0);
}
static void on_n32(void *s, uint32_t v)
{
    good(s, CBOR_NEGATIVE, v, NULL, 0);
}
static void on_n64(void *s, uint64_t v)
{
    good(s, CBOR_NEGATIVE, v, NULL, 0);
}
static void on_bytes(void *s, cbor_data data, size_t len)
{
    good(s, CBOR_BYTES, len, data, len);
}
static void on_text(void *s, cbor_data data, size_t len)
{
    good(s, CBOR_TEXT, len, data, len);
}
static void on_array(void *s, size_t n)
{
    good(s, CBOR_ARRAY, n, NULL, 0);
}
static void on_map(void *s, size_t n)
{
    good(s, CBOR_MAP, n, NULL, 0);
}
static void on_bool(void *s, bool v)
{
    good(s, CBOR_BOOL, v, NULL, 0);
}
static void on_null(void *s)
{
    good(s, CBOR_NULL, 0, NULL, 0);
}
static void on_nothing(void *s)
{
    (void)s;
}
static void on_float(void *s, float v)
{
    (void)s, (void)v;
}
static void on_double(void *s, double v)
{
    (void)s, (void)v;
}

static void on_tag(void *seen, uint64_t v)
{
    good(seen, CBOR_LINK, v, NULL, 0);
    ((struct seen *)seen)->is_tag = true;
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_u8,
    .uint16 = on_u16,
    .uint32 = on_u32,
    .uint64 = on_u64,
    .negint8 = on_n8,
    .negint16 = on_n16,
    .negint32 = on_n32,
    .negint64 = on_n64,
    .byte_string = on_bytes,
    .byte_string_start = on_nothing,
    .string = on_text,
    .string_start = on_nothing,
    .array_start = on_array,
    .indef_array_start = on_nothing,
    .map_start = on_map,
    .indef_map_start = on_nothing,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_nothing,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_nothing,
};

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

/* The head must be as short as its number allows. */
static bool read_one(const uint8_t *bytes, size_t len, struct seen *seen, size_t *consumed)
{
    *seen = (struct seen){0};
    struct cbor_decoder_result result = cbor_stream_decode(bytes, len, &callbacks, seen);
    if (result.status != CBOR_DECODER_FINISHED || !seen->is_good)
        return false;
    uint64_t v = seen->token.value;
    size_t shortest = v < 24 ? 1 : v <= UINT8_MAX ? 2 : v <= UINT16_MAX ? 3 : v <= UINT32_MAX ? 5 : 9;
    *consumed = result.read;
    return result.read - seen->token.len == shortest;
}

static bool is_cid(const uint8_t *p)
{
    return p[0] == 1 && (p[1] == 0x71 || p[1] == 0x55) && p[2] == 0x12 && p[3] == 32;
}

bool head_read(const uint8_t *bytes, size_t len, struct cbor_token *token, size_t *consumed)
{
    struct seen seen;
    size_t more;
    if (!read_one(bytes, len, &seen, consumed))
        return false;
    *token = seen.token;
    size_t left = len - *consumed;
    switch (seen.token.kind) {
    case CBOR_NEGATIVE:
        return token->value <= INT64_MAX;
    case CBOR_ARRAY:
        return token->value <= left;
    case CBOR_MAP:
        return token->value <= left / 2;
    case CBOR_TEXT:
        return is_utf8(token->data, token->len);
    case CBOR_LINK:
        if (token->value != 42 || !read_one(bytes + *consumed, left, &seen, &more) || seen.is_tag ||
            seen.token.kind != CBOR_BYTES || seen.token.len != 37 || seen.token.data[0] != 0 ||
            !is_cid(seen.token.data + 1))
            return false;
        *consumed += more;
        *token = (struct cbor_token){.kind = CBOR_LINK, .value = 37, .data = seen.token.data + 1, .len = 36};
        return true;
    default:
        return true;
    }
}
