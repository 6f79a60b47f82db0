/* ws_accept.h: the answer to a Sec-WebSocket-Key (RFC 6455 §4.2.2), which both sides compute. */
#ifndef FIREHOSED_NET_WS_ACCEPT_H
#define FIREHOSED_NET_WS_ACCEPT_H

#include <stdbool.h>

enum { WS_ACCEPT_TEXT_BYTES = 29 }; /* base64 of a SHA-1, and its terminator */

/* False: the key is too long, or there is no SHA-1. */
bool ws_accept_make(const char *key, char accept[WS_ACCEPT_TEXT_BYTES]);

#endif
