/* buffer.h: a growing run of bytes.
 *
 * Invariants: len <= cap; data is NULL only while cap is 0. A failed allocation sets `failed` and keeps the bytes so
 * far; later appends then do nothing. So a writer appends freely and checks `failed` once, at the end. */
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

/* Empties the buffer, resets `failed`, and keeps the memory. */
static inline void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = false;
}

/* Frees the memory of an empty buffer whose capacity is above `keep` bytes: one huge message must not make a process
 * large for ever. */
void buffer_trim(struct buffer *b, size_t keep);

/* Makes room for `more` bytes behind len. Returns false and sets `failed` if memory is short. */
bool buffer_grow(struct buffer *b, size_t more);

/* buffer_grow() that first looks at the present capacity, inline. */
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

static inline void buffer_append_text(struct buffer *b, const char *text) { buffer_append(b, text, strlen(text)); }

/* Appends a string literal, whose length the compiler knows. */
#define buffer_append_literal(b, literal) buffer_append((b), (literal), sizeof(literal) - 1)

void buffer_append_unsigned(struct buffer *b, uint64_t value);
void buffer_append_signed(struct buffer *b, int64_t value);
void buffer_append_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes and moves the rest down. */
void buffer_consume(struct buffer *b, size_t n);

/* Writes the decimal digits of value in front of `end`, which must have 20 bytes of room there. Returns the first
 * digit. */
char *format_unsigned_backwards(char *end, uint64_t value);

#endif
