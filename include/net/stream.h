/* stream.h: a non-blocking byte stream over a connected descriptor, plain or TLS, with the same functions for both.
 *
 * It owns the descriptor and the TLS session. It has no event loop and, beside OpenSSL's, no buffers: the caller polls
 * the descriptor for what the last result wants. With TLS the caller must read until STREAM_WANT_READ, because OpenSSL
 * may hold bytes that poll(2) does not see. SIGPIPE must be ignored. */
#ifndef FIREHOSED_NET_STREAM_H
#define FIREHOSED_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/tls.h"

enum stream_result {
    STREAM_OK,
    STREAM_WANT_READ,  /* nothing was done: wait until the descriptor is readable */
    STREAM_WANT_WRITE, /* nothing was done: wait until the descriptor is writable */
    STREAM_EOF,        /* the peer closed the stream in order */
    STREAM_ERROR,      /* *why is "TLS handshake: certificate has expired" or "read: Connection reset by peer" */
};

struct ssl_st;        /* SSL of OpenSSL */
struct bio_method_st; /* BIO_METHOD of OpenSSL */

struct stream {
    int fd; /* -1: closed */
    struct ssl_st *ssl; /* NULL: plain */
    struct bio_method_st *bio_method;
};

/* Takes over fd, and closes it on failure; stream_fini() closes it otherwise. tls NULL: a plain stream. A client gives
 * in `host` the name or address that the certificate must be for; a name is sent as SNI. A server gives NULL. Returns
 * false and fills *why on failure. */
bool stream_init(struct stream *s, int fd, struct tls_context *tls, const char *host, struct error *why);

/* Makes a closed stream (fd -1), which stream_fini() accepts. */
void stream_clear(struct stream *s);

/* Closes the stream at once; tries to send TLS close_notify, but does not wait. */
void stream_fini(struct stream *s);

/* Continues the TLS handshake. Returns STREAM_OK when it is done; for a plain stream that is at once. */
enum stream_result stream_handshake(struct stream *s, struct error *why);

/* Reads 1..len bytes; *got is their number after STREAM_OK. */
enum stream_result stream_read(struct stream *s, void *bytes, size_t len, size_t *got, struct error *why);

/* Writes 1..len bytes; *put is their number after STREAM_OK. */
enum stream_result stream_write(struct stream *s, const void *bytes, size_t len, size_t *put, struct error *why);

/* Returns true if this process holds bytes that the next read may return, even if the descriptor has none. */
bool stream_has_pending(const struct stream *s);

#endif
