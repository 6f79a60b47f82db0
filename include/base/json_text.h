/* json_text.h: writes JSON strings and base64 into a buffer.
 *
 * For the places that stream JSON out (events, status, dead letters); whole documents that are not on
 * the way of a frame are built with jansson. */
#ifndef FIREHOSED_BASE_JSON_TEXT_H
#define FIREHOSED_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Appends text as a JSON string with its quotes. The escapes are those of JavaScript's JSON.stringify:
 * \" \\ \b \f \n \r \t, \u00xx for the other control characters, all else as it stands. Returns false and
 * appends nothing if the text is not valid UTF-8 (surrogates, overlong forms and > U+10FFFF are not). */
bool json_append_string(struct buffer *b, const void *text, size_t len);

/* The same, and *bad tells where the first byte is that is not valid; untouched if there is none. */
bool json_append_text(struct buffer *b, const void *text, size_t len, size_t *bad);

/* Appends base64, standard alphabet. `pad` adds '=' to a multiple of four (dead letters); the AT Protocol's
 * $bytes has none. */
void json_append_base64(struct buffer *b, const void *bytes, size_t len, bool pad);

/* True if the bytes are valid UTF-8; *bad is the offset of the first byte that is not (may be NULL). */
bool utf8_valid(const void *text, size_t len, size_t *bad);

/* Makes a text valid UTF-8 in place: every byte that is not part of a character becomes '?'. */
void utf8_repair(char *text);

#endif
