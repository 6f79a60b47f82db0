/* http_clients.h: the connections of the HTTP endpoint, counted and timed. */
#ifndef FIREHOSED_HTTP_HTTP_CLIENTS_H
#define FIREHOSED_HTTP_HTTP_CLIENTS_H

#include <event2/bufferevent.h>
#include <event2/event.h>

struct http_clients;

struct http_clients *http_clients_new(struct event_base *base); /* returns NULL if memory is short */
void http_clients_free(struct http_clients *g);

/* For evhttp_set_bevcb(): makes the stream of a new connection, and watches it. */
struct bufferevent *http_clients_admit(struct event_base *base, void *clients);

#endif
