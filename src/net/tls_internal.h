/* tls_internal.h: the inside of a context, for tls.c, stream.c and tls_bio.c. */
#ifndef FIREHOSED_NET_TLS_INTERNAL_H
#define FIREHOSED_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct tls_context {
    SSL_CTX *context;
    bool trusts_system; /* true: OpenSSL opens the files of the system's authorities when it needs them */
};

/* Makes a session read from and write to a descriptor (tls_bio.c). Returns a method that the caller frees with
 * BIO_meth_free() after SSL_free(), or NULL if memory is short. */
BIO_METHOD *tls_bio_attach(SSL *ssl, int fd);

/* Returns true if the session holds bytes from the descriptor that OpenSSL has not read yet. */
bool tls_bio_has_pending(const SSL *ssl);

#endif
