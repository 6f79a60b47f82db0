#include "config.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"

/* Returns the length of the unwanted character at p, which is in valid UTF-8, or 0. */
static size_t unwanted(const uint8_t *p)
{
    if (p[0] < 0x20 || p[0] == 0x7f)
        return 1;
    if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xd8 && p[1] == 0x9c)) /* C1; U+061C */
        return 2;
    bool is_e280 = p[0] == 0xe2 && p[1] == 0x80; /* U+200E, U+200F, U+2028 to U+202E */
    if (is_e280 && ((p[2] & 0xfe) == 0x8e || (p[2] >= 0xa8 && p[2] <= 0xae)))
        return 3;
    return p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9 ? 3 : 0; /* U+2066 to U+2069 */
}

static void clean(char *text, size_t len)
{
    char *rest = text;
    size_t left = len, bad;
    while (!utf8_valid(rest, left, &bad)) {
        rest[bad] = '?';
        rest += bad + 1;
        left -= bad + 1;
    }
    for (size_t i = 0, n; i < len; i += n) {
        n = unwanted((uint8_t *)text + i);
        memset(text + i, '?', n);
        n += n == 0;
    }
}

void text_clean(char *text) { clean(text, strlen(text)); }

/* Returns how many of the bytes fit into `room` without cutting a character. Bytes that are no text are cut anywhere.
 * */
static size_t fitting(const char *bytes, size_t len, size_t room)
{
    size_t n = room;
    if (len <= room)
        return len;
    while (n > 0 && room - n < 4 && ((uint8_t)bytes[n] & 0xc0) == 0x80)
        n--;
    return room - n < 4 ? n : room;
}

size_t text_copy(char *out, size_t room, const void *bytes, size_t len)
{
    size_t n = fitting(bytes, len, room - 1);
    if (n > 0)
        memcpy(out, bytes, n);
    out[n] = '\0';
    clean(out, n);
    return n;
}

const char *text_take(struct text *t, const void *bytes, size_t len)
{
    text_copy(t->text, sizeof t->text, bytes, len);
    return t->text;
}

void text_vformat(char *out, size_t room, const char *format, va_list args)
{
    int wanted = vsnprintf(out, room, format, args);
    size_t len = strlen(out);
    if (wanted >= 0 && (size_t)wanted > len) { /* cut: an incomplete last character goes */
        size_t first = len;
        while (first > 0 && len - first < 3 && ((uint8_t)out[first - 1] & 0xc0) == 0x80)
            first--;
        if (first > 0 && (uint8_t)out[first - 1] >= 0xc0 && !utf8_valid(out + first - 1, len - first + 1, NULL))
            out[first - 1] = '\0';
    }
    text_clean(out);
}

void text_format(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(out, room, format, args);
    va_end(args);
}
