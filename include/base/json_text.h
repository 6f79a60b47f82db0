/* json_text.h: writes JSON strings and base64 into a buffer, and checks UTF-8.
 *
 * Code that streams JSON uses it (events, dashboard keys, dead letters). Whole documents off the way of a frame are
 * built with jansson. */
#ifndef FIREHOSED_BASE_JSON_TEXT_H
#define FIREHOSED_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* For documents that jansson writes: numbers without the noise of binary fractions (3.541, not 3.5409999999999999). */
#define JSON_NUMBERS JSON_REAL_PRECISION(15)

/* Appends text as a JSON string with its quotes, escaped as JavaScript's JSON.stringify does: \" \\ \b \f \n \r \t,
 * \u00xx for the other control characters, and no other escapes. Returns false and appends nothing if the text is not
 * valid UTF-8 (surrogates, overlong forms and values above U+10FFFF are not valid). */
bool json_append_string(struct buffer *b, const void *text, size_t len);

/* json_append_string() that also sets *bad to the offset of the first invalid byte. Leaves *bad alone on success. */
bool json_append_text(struct buffer *b, const void *text, size_t len, size_t *bad);

/* Appends base64 in the standard alphabet. `pad` adds '=' to a multiple of four digits (dead letters); "$bytes" of the
 * AT Protocol has no padding. */
void json_append_base64(struct buffer *b, const void *bytes, size_t len, bool pad);

/* Returns true if the bytes are valid UTF-8. Otherwise sets *bad (may be NULL) to the offset of the first invalid
 * byte. */
bool utf8_valid(const void *text, size_t len, size_t *bad);

/* Returns how many bytes of the text fit into `room` bytes without cutting a character. */
size_t utf8_fitting(const char *text, size_t room);

#endif
