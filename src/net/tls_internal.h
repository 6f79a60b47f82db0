/* tls_internal.h: what is inside a context, for stream.c. */
#ifndef FIREHOSED_NET_TLS_INTERNAL_H
#define FIREHOSED_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct tls_context {
    SSL_CTX *context;
    bool trusts_system; /* the authorities are the system's: found by name when they are needed */
};

#endif
