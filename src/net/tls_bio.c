/* tls_bio.c: the source and sink of bytes for OpenSSL.
 *
 * OpenSSL reads the five bytes of a record's head and then its body: two system calls for three events. OpenSSL's own
 * read-ahead saves the calls, but moves all its bytes to the front with each record. Here one read(2) takes all that
 * has arrived, and OpenSSL reads from that buffer. Writes go straight to the descriptor. */
#include "config.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls_internal.h"

enum { READ_BYTES = 64 * 1024 }; /* 32 KiB and 128 KiB are slower: more calls, fewer hits in the cache */

struct reading {
    int fd;
    bool is_ended;
    size_t at, len; /* OpenSSL has not read bytes[at..len) yet */
    uint8_t bytes[READ_BYTES];
};

static bool fill(BIO *bio, struct reading *r, int *result)
{
    ssize_t n = read(r->fd, r->bytes, sizeof r->bytes);
    r->at = 0;
    r->len = n > 0 ? (size_t)n : 0;
    r->is_ended = n == 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    *result = n < 0 ? -1 : 0;
    return n > 0;
}

static int bio_read(BIO *bio, char *out, int wanted)
{
    struct reading *r = BIO_get_data(bio);
    int result;
    BIO_clear_retry_flags(bio);
    if (wanted <= 0)
        return 0;
    if (r->at == r->len && !fill(bio, r, &result))
        return result;
    size_t n = r->len - r->at < (size_t)wanted ? r->len - r->at : (size_t)wanted;
    memcpy(out, r->bytes + r->at, n);
    r->at += n;
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    const struct reading *r = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n = write(r->fd, bytes, (size_t)len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    const struct reading *r = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_EOF:
        return r->is_ended;
    case BIO_CTRL_PENDING:
        return (long)(r->len - r->at);
    case BIO_CTRL_FLUSH: /* writes are never buffered */
        return 1;
    default:
        return 0;
    }
}

static int bio_destroy(BIO *bio)
{
    free(BIO_get_data(bio));
    BIO_set_data(bio, NULL);
    return 1;
}

/* Each connection has its own method: OpenSSL has no constant ones, and a shared one would have to outlive all of
 * them. */
static BIO_METHOD *method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
    if (method != NULL && BIO_meth_set_read(method, bio_read) == 1 && BIO_meth_set_write(method, bio_write) == 1 &&
        BIO_meth_set_ctrl(method, bio_ctrl) == 1 && BIO_meth_set_destroy(method, bio_destroy) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO_METHOD *tls_bio_attach(SSL *ssl, int fd)
{
    BIO_METHOD *method = method_new();
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    struct reading *r = bio != NULL ? malloc(sizeof *r) : NULL; /* not zeroed: untouched pages cost nothing */
    if (r == NULL) {
        BIO_free(bio);
        BIO_meth_free(method);
        return NULL;
    }
    r->fd = fd;
    r->is_ended = false;
    r->at = r->len = 0;
    BIO_set_data(bio, r);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return method;
}

bool tls_bio_has_pending(const SSL *ssl) { return BIO_pending(SSL_get_rbio(ssl)) > 0; }
