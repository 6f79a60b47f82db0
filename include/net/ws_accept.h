/* ws_accept.h: the server's side of the WebSocket handshake (RFC 6455 §4.2), for firehose-replay. */
#ifndef FIREHOSED_NET_WS_ACCEPT_H
#define FIREHOSED_NET_WS_ACCEPT_H

#include "net/ws_handshake.h"

/* A parsed request. */
struct ws_request {
    char path[URL_PATH_BYTES]; /* with its query */
    char key[64];
    char user_agent[256];
    bool is_upgrade; /* false: a plain HTTP request */
    size_t consumed; /* bytes of the request's head */
};

/* Reads a client's request from the bytes received so far. Returns WS_UPGRADE_DONE, WS_UPGRADE_NEED_MORE, or
 * WS_UPGRADE_BROKEN with *why. */
enum ws_upgrade ws_read_request(const uint8_t *bytes, size_t len, struct ws_request *request, struct error *why);

/* Appends "HTTP/1.1 101 …" with the answer to the request's key. Sets out->failed on failure. */
void ws_append_accept(struct buffer *out, const char *key);

#endif
