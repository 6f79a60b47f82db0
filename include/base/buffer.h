/* buffer.h: a growing run of bytes.
 *
 * Invariants: len <= cap; data is NULL only while cap is 0. A failed allocation sets `failed`, keeps what
 * is there, and turns later appends into no-ops: a writer appends freely and asks once at the end.
 * buffer_clear() keeps the memory and lifts `failed`. */
#ifndef FIREHOSED_BASE_BUFFER_H
#define FIREHOSED_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed;
};

void buffer_init(struct buffer *b);
void buffer_fini(struct buffer *b);

static inline void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = false;
}

/* Frees what is above `keep` bytes of capacity when the buffer is empty: one huge message must not make
 * a process large for ever. */
void buffer_trim(struct buffer *b, size_t keep);

/* Makes room for `more` bytes behind len. False (and `failed`) when memory is short. */
bool buffer_grow(struct buffer *b, size_t more);

static inline bool buffer_reserve(struct buffer *b, size_t more)
{
    if (b->failed)
        return false;
    return b->cap - b->len >= more || buffer_grow(b, more);
}

static inline void buffer_append(struct buffer *b, const void *bytes, size_t n)
{
    if (n > 0 && buffer_reserve(b, n)) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
}

static inline void buffer_append_byte(struct buffer *b, uint8_t byte)
{
    if (buffer_reserve(b, 1))
        b->data[b->len++] = byte;
}

static inline void buffer_append_text(struct buffer *b, const char *text)
{
    buffer_append(b, text, strlen(text));
}

/* For string literals: the length is known at compile time. */
#define buffer_append_literal(b, literal) buffer_append((b), (literal), sizeof(literal) - 1)

void buffer_append_unsigned(struct buffer *b, uint64_t value);
void buffer_append_signed(struct buffer *b, int64_t value);
void buffer_append_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes, moving the rest down. */
void buffer_consume(struct buffer *b, size_t n);

/* Writes the decimal digits of value so that they end before `end`; returns where they start.
 * `end` must have 20 bytes in front of it. */
char *format_unsigned_backwards(char *end, uint64_t value);

#endif
