#include "config.h"

#include "item.h"

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

static void set_number(struct item *item, enum cbor_kind kind, uint64_t value)
{
    item->token.kind = kind;
    item->token.value = value;
}

static void on_uint8(void *item, uint8_t v)
{
    set_number(item, CBOR_UNSIGNED, v);
}
static void on_uint16(void *item, uint16_t v)
{
    set_number(item, CBOR_UNSIGNED, v);
}
static void on_uint32(void *item, uint32_t v)
{
    set_number(item, CBOR_UNSIGNED, v);
}
static void on_uint64(void *item, uint64_t v)
{
    set_number(item, CBOR_UNSIGNED, v);
}
static void on_negint8(void *item, uint8_t v)
{
    set_number(item, CBOR_NEGATIVE, v);
}
static void on_negint16(void *item, uint16_t v)
{
    set_number(item, CBOR_NEGATIVE, v);
}
static void on_negint32(void *item, uint32_t v)
{
    set_number(item, CBOR_NEGATIVE, v);
}
static void on_negint64(void *item, uint64_t v)
{
    set_number(item, CBOR_NEGATIVE, v);
}
static void on_array(void *item, size_t count)
{
    set_number(item, CBOR_ARRAY, count);
}
static void on_map(void *item, size_t count)
{
    set_number(item, CBOR_MAP, count);
}
static void on_boolean(void *item, bool v)
{
    set_number(item, CBOR_BOOL, v);
}
static void on_null(void *item)
{
    set_number(item, CBOR_NULL, 0);
}

static void set_string(struct item *item, enum cbor_kind kind, const uint8_t *data, size_t len)
{
    item->token = (struct cbor_token){.kind = kind, .value = len, .data = data, .len = len};
}

static void on_bytes(void *item, cbor_data data, size_t len)
{
    set_string(item, CBOR_BYTES, data, len);
}
static void on_text(void *item, cbor_data data, size_t len)
{
    set_string(item, CBOR_TEXT, data, len);
}

static void on_tag(void *context, uint64_t number)
{
    struct item *item = context;
    item->is_tag = true;
    item->token.value = number;
}

static void refuse(void *context, const char *rule)
{
    ((struct item *)context)->refused = rule;
}

static void on_indefinite(void *item)
{
    refuse(item, "indefinite length");
}
static void on_break(void *item)
{
    refuse(item, "break without an indefinite length");
}
static void on_undefined(void *item)
{
    refuse(item, "undefined is not in the data model");
}
static void on_float(void *item, float v)
{
    (void)v;
    refuse(item, "floats are not in the data model");
}
static void on_double(void *item, double v)
{
    (void)v;
    refuse(item, "floats are not in the data model");
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

const char *item_read(const uint8_t *bytes, size_t len, struct item *item)
{
    *item = (struct item){.len = 1};
    if (len > 0 && *bytes >= 0xc6 && *bytes <= 0xd4) { /* tags 6 to 20, which libcbor 0.8 takes for errors */
        on_tag(item, *bytes & 31u);
        return NULL;
    }
    struct cbor_decoder_result result = cbor_stream_decode(bytes, len, &callbacks, item);
    if (result.status == CBOR_DECODER_NEDATA)
        return "ends in the middle of an item";
    if (result.status != CBOR_DECODER_FINISHED || result.read > len)
        return "not an item of DAG-CBOR";
    if (item->refused != NULL)
        return item->refused;
    if (!is_shortest(result.read - item->token.len, item->token.value))
        return "integer or length not in its shortest form";
    item->len = result.read;
    return NULL;
}
