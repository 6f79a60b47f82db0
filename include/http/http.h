/* http.h: the HTTP endpoint: a table of pages that are read, and nothing else.
 *
 * Clients are not trusted to be quick or polite: there are 32 of them at most (the oldest one has to go),
 * none stays longer than a minute, a request has a head of 8 KB and a body of 1 KB at most, and a page that many ask
 * for is made ten times a second at most, so that the relay is read on whatever they do. */
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

/* "9117" (on 127.0.0.1), "address:port", "[address]:port", "localhost:port", "*:port". False: *why says what is
 * wrong. */
bool http_parse_address(const char *text, struct sockaddr_storage *address, socklen_t *len, struct error *why);

/* Listens; `pages` and `arg` stay the caller's. policy: the Content-Security-Policy of all pages. NULL: *why. */
struct http *http_new(struct event_base *base, const char *address, const struct http_page *pages, void *arg,
                      const char *policy, struct error *why);
void http_free(struct http *h);

#endif
