/* ws_handshake.h: the client's side of the HTTP/1.1 upgrade that opens a WebSocket (RFC 6455 §4.1). */
#ifndef FIREHOSED_NET_WS_HANDSHAKE_H
#define FIREHOSED_NET_WS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "net/url.h"
#include "net/ws_key.h"

enum { WS_HANDSHAKE_MAX_BYTES = 16384 }; /* a longer head is refused */

/* Appends the client's request for `path` (with its query). */
void ws_append_request(struct buffer *out, const struct url *url, const char *path, const char *key,
                       const char *user_agent);

enum ws_upgrade {
    WS_UPGRADE_NEED_MORE,
    WS_UPGRADE_DONE,    /* *consumed bytes were the head; the bytes behind it are WebSocket */
    WS_UPGRADE_REFUSED, /* a proper HTTP answer that is not 101. status and retry_after_s are set; *why says
                           "HTTP 429 Too Many Requests (retry after 30 s)" and quotes the start of a text body */
    WS_UPGRADE_BROKEN,  /* not HTTP, a wrong accept key, an unrequested extension or subprotocol, a head too long */
};

struct ws_upgrade_answer {
    int status;
    int retry_after_s; /* -1 without the header; an HTTP-date counts as seconds from now */
    size_t consumed;
};

/* Reads the server's answer from the bytes received so far. `key` is the key of the request. Fills *why unless the
 * result is WS_UPGRADE_NEED_MORE or WS_UPGRADE_DONE. */
enum ws_upgrade ws_read_answer(const uint8_t *bytes, size_t len, const char *key, struct ws_upgrade_answer *answer,
                               struct error *why);

#endif
