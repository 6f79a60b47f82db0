#include "config.h"

#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "tls_internal.h"

static void tls_error(struct error *why, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    error_set(why, "%s: %s", what, reason != NULL ? reason : "unknown error");
    ERR_clear_error();
}

static SSL_CTX *context_new(const SSL_METHOD *method, struct error *why)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(method);
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        tls_error(why, "TLS");
        SSL_CTX_free(context);
        return NULL;
    }
    /* The caller's buffer may move between two tries of a write, and a write may be partial: streams are not blocking.
     * Idle connections need no buffers. A relay that drops the TCP connection is nothing special. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    return context;
}

static struct tls_context *wrap(SSL_CTX *context, struct error *why)
{
    struct tls_context *tls = malloc(sizeof *tls);
    if (tls == NULL) {
        error_set(why, "TLS: out of memory");
        SSL_CTX_free(context);
        return NULL;
    }
    tls->context = context;
    return tls;
}

struct tls_context *tls_client_new(const char *ca_file, struct error *why)
{
    SSL_CTX *context = context_new(TLS_client_method(), why);
    if (context == NULL)
        return NULL;
    bool own = ca_file != NULL && ca_file[0] != '\0';
    int ok = own ? SSL_CTX_load_verify_locations(context, ca_file, NULL) : SSL_CTX_set_default_verify_paths(context);
    if (ok != 1) {
        tls_error(why, own ? ca_file : "the system's certificate authorities");
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return wrap(context, why);
}

struct tls_context *tls_server_new(const char *cert_file, const char *key_file, struct error *why)
{
    SSL_CTX *context = context_new(TLS_server_method(), why);
    if (context == NULL)
        return NULL;
    const char *at = cert_file;
    bool ok = SSL_CTX_use_certificate_chain_file(context, cert_file) == 1;
    if (ok) {
        at = key_file;
        ok = SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1 &&
             SSL_CTX_check_private_key(context) == 1;
    }
    if (!ok) {
        tls_error(why, at);
        SSL_CTX_free(context);
        return NULL;
    }
    return wrap(context, why);
}

void tls_free(struct tls_context *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}
