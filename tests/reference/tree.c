#include "config.h"

#include "tree.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CID_BYTES_ = 36 };

static bool is_cid(const uint8_t *p, size_t len)
{
    return len == CID_BYTES_ && p[0] == 1 && (p[1] == 0x71 || p[1] == 0x55) && p[2] == 0x12 && p[3] == 0x20;
}

static bool is_utf8(const cbor_item_t *text)
{
    json_t *checked = json_stringn((const char *)cbor_string_handle(text), cbor_string_length(text));
    bool ok = checked != NULL;
    json_decref(checked);
    return ok;
}

/* ---- encoding again, in the one way that is allowed ---- */

static void put_head(FILE *out, unsigned major, uint64_t value)
{
    int width = value < 24 ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
    static const unsigned info[] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};
    fputc((int)(major << 5 | (width == 0 ? (unsigned)value : info[width])), out);
    while (width-- > 0)
        fputc((int)(value >> 8 * width & 0xff), out);
}

static int by_key(const void *a, const void *b)
{
    const cbor_item_t *x = ((const struct cbor_pair *)a)->key, *y = ((const struct cbor_pair *)b)->key;
    size_t n = cbor_string_length(x), m = cbor_string_length(y);
    return n != m ? (n < m ? -1 : 1) : memcmp(cbor_string_handle(x), cbor_string_handle(y), n);
}

static bool encode(const cbor_item_t *item, FILE *out);

static bool encode_map(const cbor_item_t *map, FILE *out)
{
    size_t n = cbor_map_size(map);
    struct cbor_pair *pairs = calloc(n > 0 ? n : 1, sizeof *pairs);
    bool ok = pairs != NULL;
    put_head(out, 5, n);
    for (size_t i = 0; ok && i < n; i++) {
        pairs[i] = cbor_map_handle(map)[i];
        ok = cbor_isa_string(pairs[i].key) && cbor_string_is_definite(pairs[i].key);
    }
    if (ok)
        qsort(pairs, n, sizeof *pairs, by_key);
    for (size_t i = 0; ok && i < n; i++)
        ok = (i == 0 || by_key(&pairs[i - 1], &pairs[i]) != 0) && encode(pairs[i].key, out) &&
             encode(pairs[i].value, out);
    free(pairs);
    return ok;
}

static bool encode_array(const cbor_item_t *array, FILE *out)
{
    size_t n = cbor_array_size(array);
    put_head(out, 4, n);
    for (size_t i = 0; i < n; i++)
        if (!encode(cbor_array_handle(array)[i], out))
            return false;
    return true;
}

static bool encode_simple(const cbor_item_t *item, FILE *out)
{
    if (cbor_float_get_width(item) != CBOR_FLOAT_0)
        return false; /* the AT data model has no floats */
    if (!cbor_is_bool(item) && !cbor_is_null(item))
        return false;
    fputc(cbor_is_null(item) ? 0xf6 : cbor_get_bool(item) ? 0xf5 : 0xf4, out);
    return true;
}

/* False: a kind of item that the data model does not have. */
static bool encode(const cbor_item_t *item, FILE *out)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        put_head(out, 0, cbor_get_int(item));
        return true;
    case CBOR_TYPE_NEGINT:
        put_head(out, 1, cbor_get_int(item));
        return cbor_get_int(item) <= INT64_MAX;
    case CBOR_TYPE_BYTESTRING:
        if (!cbor_bytestring_is_definite(item))
            return false;
        put_head(out, 2, cbor_bytestring_length(item));
        fwrite(cbor_bytestring_handle(item), 1, cbor_bytestring_length(item), out);
        return true;
    case CBOR_TYPE_STRING:
        if (!cbor_string_is_definite(item) || !is_utf8(item))
            return false;
        put_head(out, 3, cbor_string_length(item));
        fwrite(cbor_string_handle(item), 1, cbor_string_length(item), out);
        return true;
    case CBOR_TYPE_ARRAY:
        return encode_array(item, out);
    case CBOR_TYPE_MAP:
        return encode_map(item, out);
    case CBOR_TYPE_TAG:
        if (!tree_is_link(item))
            return false;
        put_head(out, 6, 42);
        put_head(out, 2, CID_BYTES_ + 1);
        fputc(0, out);
        fwrite(tree_cid(item), 1, CID_BYTES_, out);
        return true;
    case CBOR_TYPE_FLOAT_CTRL:
        return encode_simple(item, out);
    }
    return false;
}

static bool is_canonical(const cbor_item_t *item, const uint8_t *bytes, size_t len)
{
    char *encoded = NULL;
    size_t encoded_len = 0;
    FILE *out = open_memstream(&encoded, &encoded_len);
    if (out == NULL)
        abort();
    bool ok = encode(item, out);
    fclose(out);
    ok = ok && encoded_len == len && memcmp(encoded, bytes, len) == 0;
    free(encoded);
    return ok;
}

/* libcbor makes room for as many items as a head claims. Here the claims are counted first: an item takes a byte. */
static bool claims_are_modest(const uint8_t *bytes, size_t len)
{
    uint64_t owed = 1;
    size_t at = 0;
    while (owed > 0) {
        if (at >= len || owed > len - at)
            return false;
        unsigned major = bytes[at] >> 5, info = bytes[at] & 31;
        size_t more = info < 24 ? 0 : info > 27 ? SIZE_MAX : (size_t)1 << (info - 24);
        uint64_t value = info < 24 ? info : 0;
        if (more > len - at - 1)
            return false; /* cut short, or of indefinite length */
        for (size_t i = 0; i < more; i++)
            value = value << 8 | bytes[at + 1 + i];
        at += 1 + more;
        owed--;
        if (major >= 2 && major <= 5 && value > len - at)
            return false;
        if (major == 2 || major == 3)
            at += value;
        else if (major == 4 || major == 5)
            owed += value * (major - 3);
        else if (major == 6)
            owed++;
    }
    return true;
}

cbor_item_t *tree_load(const uint8_t *bytes, size_t len, size_t *consumed)
{
    struct cbor_load_result result;
    cbor_item_t *item = claims_are_modest(bytes, len) ? cbor_load(bytes, len, &result) : NULL;
    if (item == NULL)
        return NULL;
    if (!is_canonical(item, bytes, result.read)) {
        cbor_decref(&item);
        return NULL;
    }
    *consumed = result.read;
    return item;
}

/* ---- questions ---- */

size_t tree_depth(const cbor_item_t *item)
{
    size_t deepest = 0;
    if (cbor_isa_array(item))
        for (size_t i = 0; i < cbor_array_size(item); i++) {
            size_t depth = tree_depth(cbor_array_handle(item)[i]);
            deepest = depth > deepest ? depth : deepest;
        }
    else if (cbor_isa_map(item))
        for (size_t i = 0; i < cbor_map_size(item); i++) {
            size_t depth = tree_depth(cbor_map_handle(item)[i].value);
            deepest = depth > deepest ? depth : deepest;
        }
    else
        return 0;
    return deepest + 1;
}

bool tree_is_text(const cbor_item_t *item)
{
    return item != NULL && cbor_isa_string(item);
}

bool tree_is_null(const cbor_item_t *item)
{
    return item != NULL && cbor_isa_float_ctrl(item) && cbor_float_get_width(item) == CBOR_FLOAT_0 &&
           cbor_is_null(item);
}

bool tree_text_is(const cbor_item_t *item, const char *text)
{
    return tree_is_text(item) && cbor_string_length(item) == strlen(text) &&
           memcmp(cbor_string_handle(item), text, strlen(text)) == 0;
}

static const cbor_item_t *tagged(const cbor_item_t *tag)
{
    return tag->metadata.tag_metadata.tagged_item;
}

bool tree_is_link(const cbor_item_t *item)
{
    if (item == NULL || !cbor_isa_tag(item) || cbor_tag_value(item) != 42)
        return false;
    const cbor_item_t *bytes = tagged(item);
    return bytes != NULL && cbor_isa_bytestring(bytes) && cbor_bytestring_is_definite(bytes) &&
           cbor_bytestring_length(bytes) == CID_BYTES_ + 1 && cbor_bytestring_handle(bytes)[0] == 0 &&
           is_cid(cbor_bytestring_handle(bytes) + 1, CID_BYTES_);
}

const uint8_t *tree_cid(const cbor_item_t *link)
{
    return cbor_bytestring_handle(tagged(link)) + 1;
}

const cbor_item_t *tree_get(const cbor_item_t *map, const char *key)
{
    for (size_t i = 0; i < cbor_map_size(map); i++)
        if (tree_text_is(cbor_map_handle(map)[i].key, key))
            return cbor_map_handle(map)[i].value;
    return NULL;
}
