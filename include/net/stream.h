/* stream.h: a non-blocking byte stream over a connected descriptor, plain or TLS, the same to its user.
 *
 * It owns the descriptor and the TLS session, has no event loop and no buffers of its own (beside OpenSSL's):
 * the caller polls the descriptor for what the last result wants. After TLS reads the caller must go on
 * reading until STREAM_WANT_READ: OpenSSL may hold bytes that poll(2) does not see. SIGPIPE must be ignored. */
#ifndef FIREHOSED_NET_STREAM_H
#define FIREHOSED_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/tls.h"

enum stream_result {
    STREAM_OK,
    STREAM_WANT_READ,  /* nothing done: wait until the descriptor is readable */
    STREAM_WANT_WRITE, /* nothing done: wait until it is writable */
    STREAM_EOF,        /* the peer closed in order */
    STREAM_ERROR,      /* *why tells: "TLS handshake: certificate has expired", "read: Connection reset by peer" */
};

struct ssl_st; /* OpenSSL's SSL */
struct bio_method_st; /* and BIO_METHOD */

struct stream {
    int fd; /* -1 when closed */
    struct ssl_st *ssl; /* NULL: plain */
    struct bio_method_st *bio_method;
};

/* Takes fd over (closed by stream_fini, also after a failure here). tls NULL: plain. For a client, `host` is
 * the name or address that the certificate must be for, and is sent as SNI where it is a name. For a server
 * `host` is NULL. */
bool stream_init(struct stream *s, int fd, struct tls_context *tls, const char *host, struct error *why);

/* A closed stream: fd -1, safe to fini. */
void stream_clear(struct stream *s);

/* Closes at once (TLS close_notify is tried without waiting). */
void stream_fini(struct stream *s);

/* Does the TLS handshake as far as it goes; STREAM_OK when done (at once for a plain stream). */
enum stream_result stream_handshake(struct stream *s, struct error *why);

/* Reads 1..len bytes. */
enum stream_result stream_read(struct stream *s, void *bytes, size_t len, size_t *got, struct error *why);

/* Writes 1..len bytes. */
enum stream_result stream_write(struct stream *s, const void *bytes, size_t len, size_t *put, struct error *why);

/* True if a read would, or may, return bytes although the descriptor has none: they are on this side already. */
bool stream_has_pending(const struct stream *s);

#endif
