/* serve_client.h: one client of a served relay.
 *
 *     TLS ──▶ REQUEST ──▶ STREAMING ──────▶ CLOSING ──▶ ENDING ──▶ LINGERING ──▶ gone
 *                │            │  └─▶ STALLED     (close frame sent)   ▲   (all sent, our half shut)
 *                └─ refused ──┴─ client's close, violation, fault ────┘
 *
 * A client that does not read costs its buffer and no more: what it is to get next is taken from the sequence only
 * when all that was taken before has been written. */
#ifndef FIREHOSE_REPLAY_SERVE_CLIENT_H
#define FIREHOSE_REPLAY_SERVE_CLIENT_H

#include "base/buffer.h"
#include "net/stream.h"
#include "net/websocket.h"
#include "serve.h"

enum client_state {
    CLIENT_TLS,
    CLIENT_REQUEST,
    CLIENT_STREAMING,
    CLIENT_CLOSING,   /* our close frame is sent or on its way; the client's is awaited */
    CLIENT_ENDING,    /* what is in `out` is still written, nothing else */
    CLIENT_LINGERING, /* all written; a close(2) now would be a reset, if anything unread were there */
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
    size_t written; /* of out */
    int64_t last_write_ms;
    struct ws_reader reader;
    uint64_t position; /* what comes next */
    uint64_t frames;   /* of the sequence, sent on this connection */
    bool is_live;      /* has been at the newest event once */
};

/* Takes the descriptor over. */
void client_accept(struct server *s, int fd);

/* Closes at once; for the end of the program. */
void client_free(struct client *c);

/* There is something new to send. */
void client_wake(struct client *c);

/* Once a second: deadlines and pings. May free the client. */
void client_tick(struct client *c, int64_t now_ms);

/* The one place where states change. */
void client_enter(struct client *c, enum client_state state);

/* A close frame, then the client's answer is awaited. */
void client_close(struct client *c, uint16_t code, const char *reason);

/* ---- client_request.c ---- */

/* Looks at what has arrived of the request. When it is whole, answers and enters the next state. */
void client_read_request(struct client *c);

/* ---- client_feed.c ---- */

/* STREAMING: fills `out` with messages as far as it should be filled. May enter another state. */
void client_feed(struct client *c);

/* Faults that are due after the frames sent so far; asked once more before the first. */
void client_apply_faults(struct client *c);

/* Paced: a client that has fallen too far behind is told so, and let go. */
void client_check_speed(struct client *c);

/* Append messages of the protocol itself. */
void append_error_message(struct buffer *out, const char *name, const char *message);
void append_info_message(struct buffer *out, const char *name, const char *message);

#endif
