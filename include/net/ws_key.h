/* ws_key.h: the Sec-WebSocket-Key of a client, and the Sec-WebSocket-Accept that answers it (RFC 6455 §4). Both sides
 * compute the answer. */
#ifndef FIREHOSED_NET_WS_KEY_H
#define FIREHOSED_NET_WS_KEY_H

#include <stdbool.h>

enum {
    WS_KEY_TEXT_BYTES = 25,    /* base64 of 16 bytes, and its terminator */
    WS_ACCEPT_TEXT_BYTES = 29, /* base64 of a SHA-1, and its terminator */
};

/* Makes a random key. */
void ws_key_make(char key[WS_KEY_TEXT_BYTES]);

/* Computes the answer to a key (§4.2.2). Returns false if the key is too long, or if OpenSSL has no SHA-1. */
bool ws_key_accept(const char *key, char accept[WS_ACCEPT_TEXT_BYTES]);

#endif
