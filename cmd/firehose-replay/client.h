/* client.h: one client of a served relay, and its states.
 *
 *     TLS ──▶ REQUEST ──▶ STREAMING ──────▶ CLOSING ──▶ ENDING ──▶ LINGERING ──▶ gone
 *                │            │  └─▶ STALLED     (close frame sent)   ▲   (all sent, our half shut)
 *                └─ refused ──┴─ client's close, violation, fault ────┘
 */
#ifndef FIREHOSE_REPLAY_CLIENT_H
#define FIREHOSE_REPLAY_CLIENT_H

#include "base/buffer.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "server.h"

enum client_state {
    CLIENT_TLS,
    CLIENT_REQUEST,
    CLIENT_STREAMING,
    CLIENT_CLOSING,   /* our close frame is sent or in `out`; the client's close frame is due */
    CLIENT_ENDING,    /* the rest of `out` is still written, and nothing else */
    CLIENT_LINGERING, /* all is written; a close(2) now would reset the connection if the client sent unread bytes */
    CLIENT_STALLED,
};

struct client {
    LIST_ENTRY(client) entry;
    struct server *server;
    uint64_t number; /* counts connections, for the log */
    enum client_state state;
    int64_t deadline_ms; /* of the state; INT64_MAX: none */
    struct stream stream;
    struct event *readable, *writable;
    struct buffer in, out;
    size_t written; /* bytes of out */
    int64_t last_write_ms;
    struct ws_reader reader;
    uint64_t position; /* of the next frame in the sequence */
    uint64_t frames;   /* of the sequence, sent on this connection */
    bool is_live;      /* the client was once at the newest event */
};

/* Changes the state and sets its deadline. No other function assigns the state. */
void client_enter(struct client *c, enum client_state state);

/* Appends a close frame and waits for the client's. */
void client_close(struct client *c, uint16_t code, const char *reason);

/* Returns true if `out` is written. */
bool client_is_written(const struct client *c);

/* Returns true if there are bytes or events to send. */
bool client_has_more(const struct client *c);

/* Waits for the socket to become writable, if there is more to send. */
void client_wake(struct client *c);

#endif
