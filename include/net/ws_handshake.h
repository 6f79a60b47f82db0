/* ws_handshake.h: the HTTP/1.1 upgrade that opens a WebSocket (RFC 6455 §4). */
#ifndef FIREHOSED_NET_WS_HANDSHAKE_H
#define FIREHOSED_NET_WS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "net/url.h"

enum {
    WS_KEY_TEXT_BYTES = 25,        /* base64 of 16 bytes, and its terminator */
    WS_HANDSHAKE_MAX_BYTES = 16384 /* an answer's head that is longer is refused */
};

/* Makes a random Sec-WebSocket-Key. */
void ws_key_make(char key[WS_KEY_TEXT_BYTES]);

/* Appends the client's request for `path` (with its query). */
void ws_append_request(struct buffer *out, const struct url *url, const char *path, const char *key,
                       const char *user_agent);

enum ws_upgrade {
    WS_UPGRADE_NEED_MORE,
    WS_UPGRADE_DONE,    /* *consumed bytes were the head; what is behind them is WebSocket */
    WS_UPGRADE_REFUSED, /* a proper HTTP answer that is not 101: status and retry_after_s are filled; *why says
                           "HTTP 429 Too Many Requests (retry after 30 s)" and the start of a text body if there */
    WS_UPGRADE_BROKEN,  /* not HTTP, wrong accept key, an extension or subprotocol not asked for, head too long */
};

struct ws_upgrade_answer {
    int status;
    int retry_after_s; /* -1: the header is absent; an HTTP-date is turned into seconds from now */
    size_t consumed;
};

/* Reads the server's answer from the bytes received so far. */
enum ws_upgrade ws_read_answer(const uint8_t *bytes, size_t len, const char *key, struct ws_upgrade_answer *answer,
                               struct error *why);

/* The server's side: a parsed request. */
struct ws_request {
    char path[URL_PATH_BYTES]; /* with query */
    char key[64];
    char user_agent[256];
    bool is_upgrade; /* false: a plain HTTP request */
    size_t consumed;
};

/* WS_UPGRADE_DONE, _NEED_MORE or _BROKEN. */
enum ws_upgrade ws_read_request(const uint8_t *bytes, size_t len, struct ws_request *request, struct error *why);

/* Appends "HTTP/1.1 101 …" with the accept key computed from the request's. */
void ws_append_accept(struct buffer *out, const char *key);

#endif
