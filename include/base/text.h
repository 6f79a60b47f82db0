/* text.h: text from outside (a relay, Redis, a worker, a file), made fit for people.
 *
 * Whoever takes such text in cleans it there, once: then no log, terminal, JSON, label or page gets it raw. Clean text
 * is valid UTF-8 without control characters (C0, DEL, C1), without the characters that change the direction of what
 * follows, and without separators of lines. Each byte of such a character, or of no character, becomes '?'. */
#ifndef FIREHOSED_BASE_TEXT_H
#define FIREHOSED_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* A piece of text from outside in a log line or a reason. */
enum { TEXT_BYTES = 400 };
struct text {
    char text[TEXT_BYTES];
};

/* Cleans a text in place. Its length stays. */
void text_clean(char *text);

/* Copies at most room - 1 bytes, cut between characters and cleaned. A NUL in the bytes is a control character.
 * Returns the length. */
size_t text_copy(char *out, size_t room, const void *bytes, size_t len);

/* text_copy() into a struct text. Returns its text. */
const char *text_take(struct text *t, const void *bytes, size_t len);

/* snprintf() that cuts between characters and cleans. */
void text_format(char *out, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
void text_vformat(char *out, size_t room, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

#endif
