/* serve.h: a relay: one listener, one sequence, many clients, one loop.
 *
 *     serve_options     the command line
 *     serve             listener, what there is to send by now, the end
 *     client_request    a client's HTTP request: refused, or a position in the sequence
 *     client_feed       messages from the sequence into a client's buffer; faults
 *     serve_client      a client's connection: its states, reading and writing
 */
#ifndef FIREHOSE_REPLAY_SERVE_H
#define FIREHOSE_REPLAY_SERVE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "capture.h"
#include "faults.h"
#include "generate.h"
#include "net/tls.h"
#include "options.h"
#include "sequence.h"
#include "stamps.h"

struct serve_options {
    const char *listen;
    const char *cert_file, *key_file; /* NULL: plain */
    const char *ready_file;           /* NULL: none */
    const char *stamp_file;           /* NULL: none */
    const char *capture;              /* NULL: generated */
    struct generator_options generator;
    uint64_t pool;                    /* frames that are generated */
    struct sequence_options sequence;
    double rate;        /* events a second; 0: as fast as the client reads */
    uint64_t backlog;   /* paced: events that are there already when the clock starts */
    bool close_after;   /* close when all has been sent */
    bool fragment;
    bool cursor_from;   /* a cursor N means seq >= N, not seq > N */
    bool future_error;  /* a cursor from the future gets FutureCursor, as from a PDS */
    uint64_t oldest_seq;
    uint64_t slow_limit; /* events; 0: no limit */
    int send_buffer;     /* SO_SNDBUF; 0: the system's */
    struct faults faults;
};

/* Ends the program where they are wrong. */
void serve_options_parse(int argc, char **argv, struct serve_options *o);

struct client;
LIST_HEAD(client_list, client);

struct server {
    const struct serve_options *options;
    struct faults faults; /* what is left of them */
    struct capture capture;
    struct sequence sequence;
    struct stamps stamps;
    struct tls_context *tls; /* NULL: plain */
    struct event_base *base;
    struct evconnlistener *listener;
    bool is_listening; /* false: out of descriptors, until the next tick */
    struct event *tick;       /* once a second: deadlines, pings */
    struct event *production; /* paced: when the next events are due */
    struct event *sigterm, *sigint;
    struct client_list clients;
    uint64_t furthest;   /* one past the last position that any client has got */
    int64_t produced_since_ms; /* start of the production clock; -1: no client yet */
    uint64_t total_clients, total_frames, total_bytes;
};

/* One past the last position that may be sent by now. */
uint64_t server_limit(const struct server *s);

/* Where a client begins that wants what happens from now on. */
uint64_t server_live(const struct server *s);

/* A client is ready for events: the production clock runs from the first one on. */
void server_start_production(struct server *s);

#define serve_say(...) say(&serve_command, __VA_ARGS__)

#endif
