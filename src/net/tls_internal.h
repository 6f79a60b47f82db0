/* tls_internal.h: what is inside a context, for stream.c. */
#ifndef FIREHOSED_NET_TLS_INTERNAL_H
#define FIREHOSED_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX *context;
};

#endif
