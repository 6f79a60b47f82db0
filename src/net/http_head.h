/* http_head.h: the head of an HTTP/1.1 message (RFC 9112), for both sides of the WebSocket handshake.
 *
 * Strict on purpose: lines end with CR LF (a bare LF is refused), folded lines are refused, and so are control
 * characters and white space in front of a colon. No server that speaks WebSocket sends any of these, and each of them
 * lets two readers of the same bytes disagree. Slices point into the caller's bytes. */
#ifndef FIREHOSED_NET_HTTP_HEAD_H
#define FIREHOSED_NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct slice {
    const char *at;
    size_t len;
};

struct http_head {
    struct slice line;   /* the first one, without its end */
    struct slice fields; /* the rest, each line with its end */
    size_t bytes;        /* with the empty line at the end */
};

enum http_head_result { HTTP_HEAD_NEED_MORE, HTTP_HEAD_WHOLE, HTTP_HEAD_BROKEN };

/* Reads and checks a head of at most max_bytes. */
enum http_head_result http_head_read(const uint8_t *bytes, size_t len, size_t max_bytes, struct http_head *head,
                                     struct error *why);

/* The value of the first field with this name, without white space around it. False: there is none. */
bool http_field(const struct http_head *head, const char *name, struct slice *value);

/* How many fields with this name there are. */
unsigned http_field_count(const struct http_head *head, const char *name);

/* True if a field with this name lists the token ("Connection: keep-alive, Upgrade"), in any case. */
bool http_field_lists(const struct http_head *head, const char *name, const char *token);

bool slice_equals(struct slice s, const char *text);
bool slice_equals_nocase(struct slice s, const char *text);

/* Copies what can be shown of a hostile text: bytes outside printable ASCII become '.', runs of white space one space.
 * Returns `out`. */
const char *slice_printable(struct slice s, char *out, size_t out_bytes);

#endif
