/* http_internal.h: who is connected to the HTTP endpoint (http_guests.c), for http.c. */
#ifndef FIREHOSED_MASTER_HTTP_INTERNAL_H
#define FIREHOSED_MASTER_HTTP_INTERNAL_H

#include <event2/bufferevent.h>
#include <event2/event.h>

struct http_guests;

struct http_guests *http_guests_new(struct event_base *base); /* NULL: no memory */
void http_guests_free(struct http_guests *g);

/* For evhttp_set_bevcb(): makes the stream of a new connection and keeps an eye on it. */
struct bufferevent *http_guests_admit(struct event_base *base, void *guests);

#endif
