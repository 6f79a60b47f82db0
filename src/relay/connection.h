/* connection.h: the bytes of one connection to a relay. It knows no state, no timer and no hook: each verb returns what
 * came of it, and relay.c acts on that.
 *
 *   connection_open() ─▶ connection_shake_hands() ─▶ connection_request() ─▶ connection_read_answer()
 *      ─▶ connection_read() and connection_next() in turn ─▶ connection_close(), from anywhere */
#ifndef FIREHOSED_RELAY_CONNECTION_H
#define FIREHOSED_RELAY_CONNECTION_H

#include <event2/event.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/optional.h"
#include "net/stream.h"
#include "net/url.h"
#include "net/websocket.h"
#include "net/ws_handshake.h"
#include "ring/ledger.h"

struct connection {
    struct event_base *base;
    struct ledger *ledger;
    event_callback_fn on_ready; /* (fd, what, arg): the socket is readable or writable */
    void *arg;

    struct stream stream;
    struct event *readable, *writable;
    struct buffer out;  /* the unsent part of the request, of pings, pongs and close frames */
    struct buffer head; /* the HTTP answer */
    char key[WS_KEY_TEXT_BYTES];
    struct ws_reader reader;
    bool is_paused; /* the ring is full: the socket is not read */
    bool is_close_sent;
};

enum connection_result {
    CONNECTION_DONE,   /* the step is done */
    CONNECTION_WAITS,  /* for the socket, whose events are set, or for more bytes */
    CONNECTION_FULL,   /* the ring has no room to read into */
    CONNECTION_FAILED, /* the connection is over: *why */
};

struct connection_message {
    struct ws_item item;
    size_t offset; /* of its data in the ledger's window */
};

void connection_init(struct connection *c, struct event_base *base, struct ledger *ledger, event_callback_fn on_ready,
                     void *arg);

/* Takes fd over, which is connected to host. tls NULL: plain. Returns false and fills *why if that fails; then
 * connection_close() closes fd. */
bool connection_open(struct connection *c, int fd, struct tls_context *tls, const char *host, struct error *why);

/* Drops the connection, with all that is unsent and the window of the ledger. A second time is allowed. */
void connection_close(struct connection *c);

/* The TLS handshake, as far as it goes now: DONE, WAITS or FAILED. */
enum connection_result connection_shake_hands(struct connection *c, struct error *why);

/* Sends the HTTP request for events after the cursor; unknown: for live events. Returns false if memory is short. */
bool connection_request(struct connection *c, const struct url *url, struct optional cursor);

/* Reads the answer: DONE, WAITS or FAILED, then with the time to wait at least before the next attempt. max_message:
 * the largest message to accept, in bytes. */
enum connection_result connection_read_answer(struct connection *c, size_t max_message, int64_t *asked_ms,
                                              struct error *why);

/* One read into the ledger's window: DONE with *got bytes, WAITS, FULL or FAILED. */
enum connection_result connection_read(struct connection *c, size_t *got, struct error *why);

/* The next message in the window: DONE with *m, to be taken out of the window or put back; WAITS if there is no whole
 * one; FAILED. Pings and a close frame get their answer on the way. */
enum connection_result connection_next(struct connection *c, struct connection_message *m, struct error *why);

/* Nobody has taken the message out of the window: connection_next() returns it again. */
void connection_put_back(struct connection *c, const struct connection_message *m);

bool connection_is_within_message(const struct connection *c); /* a message has begun and is not whole */

/* Calls on_ready soon if has_more, or if OpenSSL holds bytes, which the socket does not show. A part of a TLS record
 * does not count: a relay that falls silent within one would keep the loop busy. */
void connection_come_back(struct connection *c, bool has_more);

void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

/* Each sends what it can, and the rest later. They return false if memory is short. */
bool connection_flush(struct connection *c);
bool connection_ping(struct connection *c);
bool connection_say_goodbye(struct connection *c, uint16_t code);

#endif
