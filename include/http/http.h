/* http.h: the HTTP endpoint: a table of pages that are read, and nothing else.
 *
 * Clients are not trusted to be quick or polite. There are 32 at most (the oldest one has to go); none stays longer
 * than a minute; a request has a head of 8 KB and a body of 1 KB at most; and each page is made ten times a second at
 * most. So the relay is read on, whatever clients do.
 *
 * The http room serves pages that others make, and knows nothing of their content. */
#ifndef FIREHOSED_HTTP_HTTP_H
#define FIREHOSED_HTTP_HTTP_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/error.h"

struct http_page {
    const char *path; /* NULL: end of the table */
    const char *type;
    int (*render)(void *arg, struct buffer *body); /* returns the status: 200, 503 */
};

struct http;

/* "9117" (on 127.0.0.1), "address:port", "[address]:port", "localhost:port", "*:port". Returns false if the text
 * is none of these: *why. */
bool http_parse_address(const char *text, struct sockaddr_storage *address, socklen_t *len, struct error *why);

/* Listens; `pages` and `arg` stay the caller's. policy: the Content-Security-Policy of all pages.
 * Returns NULL if it cannot listen: *why. */
struct http *http_new(struct event_base *base, const char *address, const struct http_page *pages, void *arg,
                      const char *policy, struct error *why);
void http_free(struct http *h);

#endif
