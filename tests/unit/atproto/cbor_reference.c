/* The strict reader once more, on libcbor's streaming decoder: slow, and not written by us. */
#include "config.h"

#include "cbor_reference.h"

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

#include "atproto/cid.h"
#include "base/json_text.h"

enum { TAG_LINK = 42 };

/* What libcbor's callbacks leave behind: one of the three. */
struct decoded {
    struct cbor_token token;
    bool is_tag;         /* token.value is its number */
    const char *refused; /* well-formed CBOR, but not DAG-CBOR */
};

static void set_number(struct decoded *d, enum cbor_kind kind, uint64_t value)
{
    d->token.kind = kind;
    d->token.value = value;
}

static void on_uint8(void *d, uint8_t v)
{
    set_number(d, CBOR_UNSIGNED, v);
}
static void on_uint16(void *d, uint16_t v)
{
    set_number(d, CBOR_UNSIGNED, v);
}
static void on_uint32(void *d, uint32_t v)
{
    set_number(d, CBOR_UNSIGNED, v);
}
static void on_uint64(void *d, uint64_t v)
{
    set_number(d, CBOR_UNSIGNED, v);
}
static void on_negint8(void *d, uint8_t v)
{
    set_number(d, CBOR_NEGATIVE, v);
}
static void on_negint16(void *d, uint16_t v)
{
    set_number(d, CBOR_NEGATIVE, v);
}
static void on_negint32(void *d, uint32_t v)
{
    set_number(d, CBOR_NEGATIVE, v);
}
static void on_negint64(void *d, uint64_t v)
{
    set_number(d, CBOR_NEGATIVE, v);
}
static void on_array(void *d, size_t count)
{
    set_number(d, CBOR_ARRAY, count);
}
static void on_map(void *d, size_t count)
{
    set_number(d, CBOR_MAP, count);
}
static void on_boolean(void *d, bool v)
{
    set_number(d, CBOR_BOOL, v);
}
static void on_null(void *d)
{
    set_number(d, CBOR_NULL, 0);
}

static void set_string(struct decoded *d, enum cbor_kind kind, const uint8_t *data, size_t len)
{
    d->token = (struct cbor_token){.kind = kind, .value = len, .data = data, .len = len};
}

static void on_bytes(void *d, cbor_data data, size_t len)
{
    set_string(d, CBOR_BYTES, data, len);
}
static void on_text(void *d, cbor_data data, size_t len)
{
    set_string(d, CBOR_TEXT, data, len);
}

static void on_tag(void *context, uint64_t number)
{
    struct decoded *d = context;
    d->is_tag = true;
    d->token.value = number;
}

static void refuse(void *context, const char *rule)
{
    ((struct decoded *)context)->refused = rule;
}

static void on_indefinite(void *d)
{
    refuse(d, "indefinite length");
}
static void on_break(void *d)
{
    refuse(d, "break without an indefinite length");
}
static void on_undefined(void *d)
{
    refuse(d, "undefined is not in the data model");
}
static void on_float(void *d, float v)
{
    (void)v;
    refuse(d, "floats are not in the data model");
}
static void on_double(void *d, double v)
{
    (void)v;
    refuse(d, "floats are not in the data model");
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string = on_bytes,
    .byte_string_start = on_indefinite,
    .string = on_text,
    .string_start = on_indefinite,
    .array_start = on_array,
    .indef_array_start = on_indefinite,
    .map_start = on_map,
    .indef_map_start = on_indefinite,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_undefined,
    .null = on_null,
    .boolean = on_boolean,
    .indef_break = on_break,
};

/* A head of 1, 2, 3, 5 or 9 bytes carries `value`; a shorter one must not have sufficed. It also catches a
 * 64-bit length that libcbor cut down to a 32-bit size_t. */
static bool is_shortest(size_t head, uint64_t value)
{
    switch (head) {
    case 1:
        return true;
    case 2:
        return value >= 24;
    case 3:
        return value > UINT8_MAX;
    case 5:
        return value > UINT16_MAX;
    default:
        return value > UINT32_MAX;
    }
}

/* One head, with its string if it is one. On success *consumed is its length; the reader has not moved. */
static bool decode_head(struct cbor_reader *r, struct decoded *d, size_t *consumed)
{
    size_t left = (size_t)(r->end - r->at);
    d->token.data = NULL;
    d->token.len = 0;
    d->is_tag = false;
    d->refused = NULL;
    if (left > 0 && *r->at >= 0xc6 && *r->at <= 0xd4) { /* tags 6 to 20, which libcbor 0.8 takes for errors */
        on_tag(d, *r->at & 31u);
        *consumed = 1;
        return true;
    }
    struct cbor_decoder_result result = cbor_stream_decode(r->at, left, &callbacks, d);
    if (result.status == CBOR_DECODER_NEDATA)
        return cbor_fail(r, "ends in the middle of an item");
    if (result.status != CBOR_DECODER_FINISHED || result.read > left)
        return cbor_fail(r, "not an item of DAG-CBOR");
    if (d->refused != NULL)
        return cbor_fail(r, d->refused);
    if (!is_shortest(result.read - d->token.len, d->token.value))
        return cbor_fail(r, "integer or length not in its shortest form");
    *consumed = result.read;
    return true;
}

/* Behind tag 42: the byte string 0x00 CID. The token becomes the CID itself. */
static bool read_link(struct cbor_reader *r, struct decoded *d, size_t *consumed)
{
    if (d->token.value != TAG_LINK)
        return cbor_fail(r, "a tag other than 42");
    r->at += *consumed;
    if (!decode_head(r, d, consumed))
        return false;
    struct cbor_token *t = &d->token;
    if (d->is_tag || t->kind != CBOR_BYTES || t->len != CID_BYTES + 1 || t->data[0] != 0x00 ||
        !cid_valid(t->data + 1, t->len - 1))
        return cbor_fail(r, "tag 42 without a valid CID");
    t->kind = CBOR_LINK;
    t->data++;
    t->len--;
    return true;
}

/* The rules that depend on the kind. `left` counts the bytes behind the token. */
static bool check_token(struct cbor_reader *r, const struct cbor_token *t, size_t left)
{
    size_t bad;
    switch (t->kind) {
    case CBOR_NEGATIVE:
        return t->value <= INT64_MAX || cbor_fail(r, "integer below -2^63");
    case CBOR_ARRAY: /* an item takes a byte at least */
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
    struct decoded d;
    size_t consumed;
    if (!decode_head(r, &d, &consumed))
        return false;
    if (d.is_tag && !read_link(r, &d, &consumed))
        return false;
    if (!check_token(r, &d.token, (size_t)(r->end - r->at) - consumed))
        return false;
    r->at += consumed;
    *t = d.token;
    return true;
}
