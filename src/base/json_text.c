#include "config.h"

#include "base/json_text.h"

/* How each byte of a string is written: 0 as it stands, 'u' as \u00xx, 'x' for the start of a multi-byte
 * sequence (or a stray byte) that must be checked, else the letter behind the backslash. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

/* Length of the valid UTF-8 sequence at p (Unicode 15, table 3-7), or 0. The first byte is >= 0x80. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    uint8_t first = p[0];
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if (first < 0xf0) {
        uint8_t low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
        return left >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (first < 0xf5) {
        uint8_t low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
        return left >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
    }
    return 0;
}

bool utf8_valid(const void *text, size_t len, size_t *bad)
{
    const uint8_t *start = text, *p = start, *end = start + len;
    while (p < end) {
        uint64_t eight;
        if (end - p >= 8 && (memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0)) {
            p += 8;
        } else if (*p < 0x80) {
            p++;
        } else {
            size_t n = utf8_sequence(p, (size_t)(end - p));
            if (n == 0) {
                if (bad != NULL)
                    *bad = (size_t)(p - start);
                return false;
            }
            p += n;
        }
    }
    return true;
}

void utf8_repair(char *text)
{
    size_t len = strlen(text), bad;
    while (!utf8_valid(text, len, &bad)) {
        text[bad] = '?';
        text += bad + 1;
        len -= bad + 1;
    }
}

/* True if none of the eight bytes is a control character, a quote, a backslash or above 0x7f: the usual case,
 * taken eight bytes at a time (the "has a byte less than / equal to" arithmetic on a word). */
static inline bool eight_plain_bytes(uint64_t v)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = v ^ (ones * '"'), backslash = v ^ (ones * '\\');
    uint64_t found = v | ((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    return (found & highs) == 0;
}

bool json_append_string(struct buffer *b, const void *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t before = b->len;
    /* Worst case: every byte becomes \u00xx. */
    if (!buffer_reserve(b, len * 6 + 2))
        return true; /* the buffer carries the failure */
    const uint8_t *p = text, *end = p + len;
    uint8_t *out = b->data + b->len;
    *out++ = '"';
    while (p < end) {
        uint64_t eight;
        if (end - p >= 8 && (memcpy(&eight, p, 8), eight_plain_bytes(eight))) {
            memcpy(out, &eight, 8);
            p += 8;
            out += 8;
            continue;
        }
        uint8_t c = *p;
        char escape = escapes[c];
        if (c >= 0x80) {
            size_t n = utf8_sequence(p, (size_t)(end - p));
            if (n == 0) {
                b->len = before;
                return false;
            }
            memcpy(out, p, n);
            out += n;
            p += n;
            continue;
        }
        p++;
        if (escape == 0) {
            *out++ = c;
        } else {
            *out++ = '\\';
            *out++ = (uint8_t)escape;
            if (escape == 'u') {
                *out++ = '0';
                *out++ = '0';
                *out++ = (uint8_t)hex[c >> 4];
                *out++ = (uint8_t)hex[c & 15];
            }
        }
    }
    *out++ = '"';
    b->len = (size_t)(out - b->data);
    return true;
}

void json_append_base64(struct buffer *b, const void *bytes, size_t len, bool pad)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!buffer_reserve(b, len / 3 * 4 + 4))
        return;
    const uint8_t *p = bytes;
    uint8_t *out = b->data + b->len;
    for (; len >= 3; len -= 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *out++ = (uint8_t)digits[v >> 18];
        *out++ = (uint8_t)digits[v >> 12 & 63];
        *out++ = (uint8_t)digits[v >> 6 & 63];
        *out++ = (uint8_t)digits[v & 63];
    }
    if (len > 0) {
        uint32_t v = (uint32_t)p[0] << 16 | (len == 2 ? (uint32_t)p[1] << 8 : 0);
        *out++ = (uint8_t)digits[v >> 18];
        *out++ = (uint8_t)digits[v >> 12 & 63];
        if (len == 2)
            *out++ = (uint8_t)digits[v >> 6 & 63];
        for (size_t i = len; pad && i < 3; i++)
            *out++ = '=';
    }
    b->len = (size_t)(out - b->data);
}
