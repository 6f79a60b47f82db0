#include "config.h"

#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "tls_internal.h"

void stream_clear(struct stream *s) { *s = (struct stream){.fd = -1}; }

static bool is_address(const char *host)
{
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Sets the host that the certificate must be for (RFC 6125). A name is sent as SNI; an address must not be. */
static bool expect_host(SSL *ssl, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool stream_init(struct stream *s, int fd, struct tls_context *tls, const char *host, struct error *why)
{
    *s = (struct stream){.fd = fd};
    if (tls == NULL)
        return true;
    ERR_clear_error();
    s->ssl = SSL_new(tls->context);
    bool ok = s->ssl != NULL && (s->bio_method = tls_bio_attach(s->ssl, fd)) != NULL &&
              (host == NULL || expect_host(s->ssl, host));
    if (!ok) {
        error_set(why, "TLS: cannot set up a session for %s", host != NULL ? host : "a client");
        ERR_clear_error();
        stream_fini(s);
        stream_clear(s);
        return false;
    }
    if (host != NULL)
        SSL_set_connect_state(s->ssl);
    else
        SSL_set_accept_state(s->ssl);
    return true;
}

void stream_fini(struct stream *s)
{
    if (s->ssl != NULL) {
        if (SSL_is_init_finished(s->ssl))
            SSL_shutdown(s->ssl);
        ERR_clear_error();
        SSL_free(s->ssl);
        BIO_meth_free(s->bio_method);
    }
    if (s->fd >= 0)
        close(s->fd);
    stream_clear(s);
}

/* Translates the failure of an OpenSSL call. errno must be the value that the call left. */
static enum stream_result tls_result(struct stream *s, int returned, const char *what, struct error *why)
{
    int saved_errno = errno;
    switch (SSL_get_error(s->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        return STREAM_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return STREAM_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_EOF;
    case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() == 0) {
            if (saved_errno == 0)
                return STREAM_EOF;
            error_set(why, "%s: %s", what, strerror(saved_errno));
            return STREAM_ERROR;
        }
        break;
    default:
        break;
    }
    unsigned long code = ERR_peek_error();
    long verdict = SSL_get_verify_result(s->ssl);
    const char *reason = ERR_reason_error_string(code);
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK)
        reason = X509_verify_cert_error_string(verdict);
    else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
        reason = "the peer does not speak TLS, or speaks a version that is too old";
    error_set(why, "%s: %s", what, reason != NULL ? reason : "unknown TLS error");
    ERR_clear_error();
    return STREAM_ERROR;
}

enum stream_result stream_handshake(struct stream *s, struct error *why)
{
    if (s->ssl == NULL)
        return STREAM_OK;
    ERR_clear_error();
    errno = 0;
    int done = SSL_do_handshake(s->ssl);
    return done == 1 ? STREAM_OK : tls_result(s, done, "TLS handshake", why);
}

static enum stream_result plain_result(const char *what, enum stream_result again, struct error *why)
{
    if (errno == EAGAIN || errno == EINTR)
        return again;
    error_set(why, "%s: %s", what, strerror(errno));
    return STREAM_ERROR;
}

enum stream_result stream_read(struct stream *s, void *bytes, size_t len, size_t *got, struct error *why)
{
    if (s->ssl == NULL) {
        ssize_t n = read(s->fd, bytes, len);
        if (n < 0)
            return plain_result("read", STREAM_WANT_READ, why);
        *got = (size_t)n;
        return n == 0 ? STREAM_EOF : STREAM_OK;
    }
    ERR_clear_error();
    errno = 0;
    int done = SSL_read_ex(s->ssl, bytes, len, got);
    return done == 1 ? STREAM_OK : tls_result(s, done, "read", why);
}

enum stream_result stream_write(struct stream *s, const void *bytes, size_t len, size_t *put, struct error *why)
{
    if (s->ssl == NULL) {
        ssize_t n = write(s->fd, bytes, len);
        if (n < 0)
            return plain_result("write", STREAM_WANT_WRITE, why);
        *put = (size_t)n;
        return STREAM_OK;
    }
    ERR_clear_error();
    errno = 0;
    int done = SSL_write_ex(s->ssl, bytes, len, put);
    return done == 1 ? STREAM_OK : tls_result(s, done, "write", why);
}

bool stream_has_pending(const struct stream *s)
{
    return s->ssl != NULL && (SSL_has_pending(s->ssl) || tls_bio_has_pending(s->ssl));
}
