#include "config.h"

#include "text.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

const char *cid_text(const uint8_t *cid)
{
    static char text[64];
    char *out = text;
    *out++ = 'b';
    for (unsigned bit = 0; bit < 36 * 8; bit += 5) {
        unsigned digit = 0;
        for (unsigned i = bit; i < bit + 5; i++)
            digit = digit << 1 | (i < 36 * 8 ? cid[i / 8] >> (7 - i % 8) & 1u : 0);
        *out++ = "abcdefghijklmnopqrstuvwxyz234567"[digit];
    }
    *out = '\0';
    return text;
}

/* Without padding; freed by the caller. */
static char *base64(const uint8_t *bytes, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 1);
    if (text == NULL)
        abort();
    int n = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    while (n > 0 && text[n - 1] == '=')
        n--;
    text[n] = '\0';
    return text;
}

void text_write_string(FILE *out, const void *text, size_t len)
{
    const unsigned char *p = text;
    fputc('"', out);
    for (size_t i = 0; i < len; i++)
        switch (p[i]) {
        case '"':
            fputs("\\\"", out);
            break;
        case '\\':
            fputs("\\\\", out);
            break;
        case '\b':
            fputs("\\b", out);
            break;
        case '\f':
            fputs("\\f", out);
            break;
        case '\n':
            fputs("\\n", out);
            break;
        case '\r':
            fputs("\\r", out);
            break;
        case '\t':
            fputs("\\t", out);
            break;
        default:
            if (p[i] < 0x20)
                fprintf(out, "\\u%04x", p[i]);
            else
                fputc(p[i], out);
        }
    fputc('"', out);
}

static void write_bytes(FILE *out, const cbor_item_t *item)
{
    char *text = base64(cbor_bytestring_handle(item), cbor_bytestring_length(item));
    fprintf(out, "{\"$bytes\":\"%s\"}", text);
    free(text);
}

static void write_map(FILE *out, const cbor_item_t *map)
{
    fputc('{', out);
    for (size_t i = 0; i < cbor_map_size(map); i++) {
        const struct cbor_pair *pair = &cbor_map_handle(map)[i];
        if (i > 0)
            fputc(',', out);
        text_write(out, pair->key);
        fputc(':', out);
        text_write(out, pair->value);
    }
    fputc('}', out);
}

static void write_array(FILE *out, const cbor_item_t *array)
{
    fputc('[', out);
    for (size_t i = 0; i < cbor_array_size(array); i++) {
        if (i > 0)
            fputc(',', out);
        text_write(out, cbor_array_handle(array)[i]);
    }
    fputc(']', out);
}

void text_write(FILE *out, const cbor_item_t *item)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        fprintf(out, "%" PRIu64, cbor_get_int(item));
        break;
    case CBOR_TYPE_NEGINT:
        fprintf(out, "%" PRId64, -1 - (int64_t)cbor_get_int(item));
        break;
    case CBOR_TYPE_BYTESTRING:
        write_bytes(out, item);
        break;
    case CBOR_TYPE_STRING:
        text_write_string(out, cbor_string_handle(item), cbor_string_length(item));
        break;
    case CBOR_TYPE_ARRAY:
        write_array(out, item);
        break;
    case CBOR_TYPE_MAP:
        write_map(out, item);
        break;
    case CBOR_TYPE_TAG:
        fprintf(out, "{\"$link\":\"%s\"}", cid_text(tree_cid(item)));
        break;
    case CBOR_TYPE_FLOAT_CTRL:
        fputs(cbor_is_null(item) ? "null" : cbor_get_bool(item) ? "true" : "false", out);
        break;
    }
}

static json_t *json_from_map(const cbor_item_t *map)
{
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < cbor_map_size(map); i++) {
        const struct cbor_pair *pair = &cbor_map_handle(map)[i];
        /* jansson reads no key with a NUL inside, though it can hold one. */
        if (memchr(cbor_string_handle(pair->key), '\0', cbor_string_length(pair->key)) != NULL ||
            json_object_setn_new(object, (const char *)cbor_string_handle(pair->key),
                                 cbor_string_length(pair->key), json_from_item(pair->value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *json_from_array(const cbor_item_t *items)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < cbor_array_size(items); i++)
        if (json_array_append_new(array, json_from_item(cbor_array_handle(items)[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *json_from_bytes(const cbor_item_t *item)
{
    char *text = base64(cbor_bytestring_handle(item), cbor_bytestring_length(item));
    json_t *object = json_pack("{s:s}", "$bytes", text);
    free(text);
    return object;
}

json_t *json_from_item(const cbor_item_t *item)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        return cbor_get_int(item) <= INT64_MAX ? json_integer((json_int_t)cbor_get_int(item)) : NULL;
    case CBOR_TYPE_NEGINT:
        return json_integer(-1 - (json_int_t)cbor_get_int(item));
    case CBOR_TYPE_BYTESTRING:
        return json_from_bytes(item);
    case CBOR_TYPE_STRING:
        return json_stringn((const char *)cbor_string_handle(item), cbor_string_length(item));
    case CBOR_TYPE_ARRAY:
        return json_from_array(item);
    case CBOR_TYPE_MAP:
        return json_from_map(item);
    case CBOR_TYPE_TAG:
        return json_pack("{s:s}", "$link", cid_text(tree_cid(item)));
    case CBOR_TYPE_FLOAT_CTRL:
        break;
    }
    return cbor_is_null(item) ? json_null() : json_boolean(cbor_get_bool(item));
}
