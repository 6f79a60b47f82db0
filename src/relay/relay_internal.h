/* relay_internal.h: what relay.c (states and time) and relay_io.c (bytes) share. */
#ifndef FIREHOSED_RELAY_RELAY_INTERNAL_H
#define FIREHOSED_RELAY_RELAY_INTERNAL_H

#include "base/buffer.h"
#include "base/error.h"
#include "relay/relay.h"
#include "net/connect.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "net/ws_handshake.h"

struct relay {
    enum relay_state state;
    struct event_base *base;
    struct evdns_base *dns;
    struct ledger *ledger;
    const struct config *config;
    const struct relay_list *relays;
    struct relay_hooks hooks;

    struct url url;
    char shown[URL_HOST_BYTES + URL_PATH_BYTES];
    struct tls_context *tls;
    struct connect_attempt *attempt;
    struct stream stream;
    struct event *readable, *writable, *timer;
    struct buffer out;  /* request, pongs, pings, close: what is not written yet */
    struct buffer head; /* the HTTP answer */
    char key[WS_KEY_TEXT_BYTES];
    struct ws_reader reader;
    bool is_paused; /* the ledger is full: the socket is not read */
    bool ping_sent; /* since the last byte */

    int64_t started_ms, up_since_ms, last_byte_ms;
    int64_t headway_ms; /* when a message last ended, or none had begun */
    uint64_t messages;  /* of this connection */
    int64_t backoff_ms;
    uint64_t connects, bytes;
    char trouble[ERROR_TEXT_BYTES];
};

/* relay.c */
void relay_enter(struct relay *r, enum relay_state state);

/* The connection is over: says why, and waits for the next attempt, at least so long. */
void relay_fail(struct relay *r, const char *why, int64_t at_least_ms);
void relay_is_established(struct relay *r);

/* relay_io.c */
bool relay_io_attach(struct relay *r);   /* makes the events for a fresh stream */
void relay_io_progress(struct relay *r); /* goes on with whatever the state waits for */
void relay_io_flush(struct relay *r);
bool relay_io_is_within_message(struct relay *r); /* one has begun and is not whole */

#endif
