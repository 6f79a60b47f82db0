/* http_head.h: the head of an HTTP/1.1 message (RFC 9112), for both sides of the WebSocket handshake.
 *
 * The reader is strict: it refuses lines that end with a bare LF, folded lines, control characters, and white space in
 * front of a colon. No WebSocket server sends these, and each of them makes two readers of the same bytes disagree.
 * Spans point into the caller's bytes. */
#ifndef FIREHOSED_NET_HTTP_HEAD_H
#define FIREHOSED_NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct span {
    const char *at;
    size_t len;
};

struct http_head {
    struct span line;   /* the first line, without its end */
    struct span fields; /* the other lines, each with its end */
    size_t bytes;       /* of the whole head, with the empty line at its end */
};

enum http_head_result { HTTP_HEAD_NEED_MORE, HTTP_HEAD_WHOLE, HTTP_HEAD_BROKEN };

/* Reads and checks a head of at most max_bytes. Fills *why for HTTP_HEAD_BROKEN. */
enum http_head_result http_head_read(const uint8_t *bytes, size_t len, size_t max_bytes, struct http_head *head,
                                     struct error *why);

/* Finds the first field with this name; *value has no white space around it. Returns false if there is none. */
bool http_field(const struct http_head *head, const char *name, struct span *value);

/* Returns the number of fields with this name. */
unsigned http_field_count(const struct http_head *head, const char *name);

/* Returns true if a field with this name lists the token ("Connection: keep-alive, Upgrade"). Ignores case. */
bool http_field_lists(const struct http_head *head, const char *name, const char *token);

bool span_equals(struct span s, const char *text);
bool span_equals_nocase(struct span s, const char *text);

/* Copies a hostile text for a message: bytes outside printable ASCII become '.', a run of white space becomes one
 * space, and the rest that does not fit is cut. Returns `out`. */
const char *span_printable(struct span s, char *out, size_t out_bytes);

#endif
