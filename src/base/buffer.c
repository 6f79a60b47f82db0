#include "config.h"

#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void buffer_init(struct buffer *b) { *b = (struct buffer){0}; }

void buffer_fini(struct buffer *b)
{
    free(b->data);
    buffer_init(b);
}

void buffer_trim(struct buffer *b, size_t keep)
{
    if (b->len == 0 && b->cap > keep)
        buffer_fini(b);
}

bool buffer_grow(struct buffer *b, size_t more)
{
    if (b->failed)
        return false;
    size_t cap = b->cap > 0 ? b->cap : FIRST_CAPACITY;
    bool fits = more <= SIZE_MAX / 2 - b->len;
    while (fits && cap - b->len < more)
        cap *= 2;
    uint8_t *data = fits ? realloc(b->data, cap) : NULL;
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

char *format_unsigned_backwards(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

void buffer_append_unsigned(struct buffer *b, uint64_t value)
{
    char digits[20];
    char *start = format_unsigned_backwards(digits + sizeof digits, value);
    buffer_append(b, start, (size_t)(digits + sizeof digits - start));
}

void buffer_append_signed(struct buffer *b, int64_t value)
{
    if (value < 0)
        buffer_append_byte(b, '-');
    /* The negation is unsigned, so that it is defined for INT64_MIN, too. */
    buffer_append_unsigned(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buffer_append_format(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && buffer_reserve(b, (size_t)n + 1)) {
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buffer_consume(struct buffer *b, size_t n)
{
    if (n > 0 && n < b->len)
        memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}
