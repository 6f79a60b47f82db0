/* tls_internal.h: what is inside a context, for stream.c. */
#ifndef FIREHOSED_NET_TLS_INTERNAL_H
#define FIREHOSED_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct tls_context {
    SSL_CTX *context;
    bool trusts_system; /* the authorities are the system's: found by name when they are needed */
};

/* Makes a session read from, and write to, a descriptor (tls_bio.c). What is returned is to be freed by BIO_meth_free()
 * after SSL_free(); NULL: no memory. */
BIO_METHOD *tls_bio_attach(SSL *ssl, int fd);

/* True if bytes were read from the descriptor that OpenSSL has not taken yet. */
bool tls_bio_has_pending(const SSL *ssl);

#endif
