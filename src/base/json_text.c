#include "config.h"

#include "base/json_text.h"

/* How a byte of ASCII is written: 0 unchanged, 'u' as \u00xx, any other value as that letter after a backslash. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

/* Returns the length of the valid UTF-8 sequence at p (Unicode 15, table 3-7), or 0. The first byte is >= 0x80. */
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

#define EIGHT_HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t load8(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t load4(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* Loads fewer than eight bytes into a word, in memory order, the other bytes 0. Reads no byte behind them. Most keys
 * and many texts are that short, and a loop over their bytes would cost more than all the rest of their work. */
static inline uint64_t load_short(const uint8_t *p, size_t n)
{
    uint8_t word[8] = {0};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (n >= 4)
        return load4(p) | (uint64_t)load4(p + n - 4) << 8 * (n - 4); /* the bytes that overlap are equal */
    if (n > 0)
        return p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
#endif
    memcpy(word, p, n);
    return load8(word);
}

/* Skips ASCII, up to the word that has the first other byte, or to the end. */
static inline const uint8_t *skip_ascii(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        if ((load8(p) & EIGHT_HIGH_BITS) != 0)
            return p;
        p += 8;
    }
    return (load_short(p, (size_t)(end - p)) & EIGHT_HIGH_BITS) != 0 ? p : end;
}

bool utf8_valid(const void *text, size_t len, size_t *bad)
{
    const uint8_t *start = text, *end = start + len, *p = skip_ascii(start, end);
    while (p < end) {
        if (*p < 0x80) {
            p++;
            continue;
        }
        size_t n = utf8_sequence(p, (size_t)(end - p));
        if (n == 0) {
            if (bad != NULL)
                *bad = (size_t)(p - start);
            return false;
        }
        p += n;
        if (p < end && *p < 0x80)
            p = skip_ascii(p, end);
    }
    return true;
}

size_t utf8_fitting(const char *text, size_t room)
{
    size_t len = strnlen(text, room + 1);
    if (len <= room)
        return len;
    for (len = room; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

/* Returns true if none of the eight bytes is a control character, a quote, a backslash or above 0x7f. This is the usual
 * case; the arithmetic is "a word has a byte less than / equal to". */
static inline bool eight_plain_bytes(uint64_t v)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = v ^ (ones * '"'), backslash = v ^ (ones * '\\');
    uint64_t found = v | ((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    return (found & highs) == 0;
}

/* Writes one byte of ASCII, escaped if JSON wants it. */
static inline uint8_t *put_escaped(uint8_t *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    char escape = escapes[c];
    if (escape == 0) {
        *out++ = c;
        return out;
    }
    *out++ = '\\';
    *out++ = (uint8_t)escape;
    if (escape == 'u') {
        *out++ = '0';
        *out++ = '0';
        *out++ = (uint8_t)hex[c >> 4];
        *out++ = (uint8_t)hex[c & 15];
    }
    return out;
}

/* Copies bytes that need no escape, eight at a time, and returns where it stopped. *out must have room for eight bytes
 * more than are left. */
static inline const uint8_t *copy_plain(const uint8_t *p, const uint8_t *end, uint8_t **out)
{
    uint64_t v;
    while (end - p >= 8) {
        v = load8(p);
        if (!eight_plain_bytes(v))
            return p;
        memcpy(*out, &v, 8);
        p += 8;
        *out += 8;
    }
    size_t n = (size_t)(end - p);
    v = load_short(p, n);
    const uint64_t spaces = UINT64_C(0x2020202020202020);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t filled = v | spaces << 8 * n;
#else
    uint64_t filled = v | spaces >> 8 * n;
#endif
    if (!eight_plain_bytes(filled))
        return p;
    memcpy(*out, &v, 8);
    *out += n;
    return end;
}

bool json_append_text(struct buffer *b, const void *text, size_t len, size_t *bad)
{
    /* In the worst case every byte becomes \u00xx, and copy_plain() writes whole words. */
    if (!buffer_reserve(b, len * 6 + 2 + 8))
        return true; /* the buffer carries the failure */
    const uint8_t *p = text, *end = p + len;
    uint8_t *out = b->data + b->len;
    *out++ = '"';
    p = copy_plain(p, end, &out);
    while (p < end) {
        if (*p < 0x80) {
            bool is_plain = escapes[*p] == 0;
            out = put_escaped(out, *p++);
            if (!is_plain)
                p = copy_plain(p, end, &out);
            continue;
        }
        size_t n = utf8_sequence(p, (size_t)(end - p));
        if (n == 0) {
            *bad = (size_t)(p - (const uint8_t *)text);
            return false;
        }
        for (size_t i = 0; i < n; i++)
            *out++ = *p++;
        if (p < end && *p < 0x80)
            p = copy_plain(p, end, &out);
    }
    *out++ = '"';
    b->len = (size_t)(out - b->data);
    return true;
}

bool json_append_string(struct buffer *b, const void *text, size_t len)
{
    size_t bad;
    return json_append_text(b, text, len, &bad);
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
