/* server.h: the state of a served relay, and its production clock, which tells which events exist by now.
 *
 * The files of `serve`, each of which stands on those above it:
 *
 *     serve_options     the command line
 *     server            the state that all clients share; the production clock
 *     client            a client and its states
 *     client_message    error and #info messages
 *     client_faults     faults that fire after so many frames
 *     client_request    a client's HTTP request: refused, or a position in the sequence
 *     client_feed       messages from the sequence into a client's buffer
 *     serve_client      a client's connection: reading and writing
 *     serve             the listener, the beginning and the end
 */
#ifndef FIREHOSE_REPLAY_SERVER_H
#define FIREHOSE_REPLAY_SERVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "capture.h"
#include "net/tls.h"
#include "serve_options.h"
#include "stamps.h"

struct client;
LIST_HEAD(client_list, client);

struct server {
    const struct serve_options *options;
    struct faults faults; /* with the times that are left */
    struct capture capture;
    struct sequence sequence;
    struct stamps stamps;
    struct tls_context *tls; /* NULL: no TLS */
    struct event_base *base;
    struct evconnlistener *listener;
    bool is_listening;        /* false: the process has no descriptor left; the next tick tries again */
    struct event *tick;       /* once a second: deadlines, pings */
    struct event *production; /* with a rate: fires when the next events are due */
    struct event *sigterm, *sigint;
    struct client_list clients;
    uint64_t furthest;         /* one past the last position that any client has got */
    int64_t produced_since_ms; /* start of the production clock; -1: there was no client yet */
    uint64_t total_clients, total_frames, total_bytes;
};

/* Returns one past the last position that may be sent by now. */
uint64_t server_limit(const struct server *s);

/* Returns the position where a client without a cursor begins. */
uint64_t server_live(const struct server *s);

/* Starts the production clock, at the first client that is ready for events. */
void server_start_production(struct server *s);

/* Sets the timer for the next events, if there are more to come. */
void server_await_production(struct server *s);

#endif
