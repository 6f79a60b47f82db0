#include "config.h"

#include "net/tls.h"

#include <dirent.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    /* Streams do not block: the caller's buffer may move between two tries of a write, and a write may be partial. A
     * relay that drops the TCP connection without close_notify is not an error. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
    *tls = (struct tls_context){.context = context};
    return tls;
}

/* All suites of TLS 1.3, the cheapest first: most servers take the first one that they know, and the data is public. */
static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

struct tls_context *tls_client_new(const char *ca_file, struct error *why)
{
    SSL_CTX *context = context_new(TLS_client_method(), why);
    if (context == NULL)
        return NULL;
    if (SSL_CTX_set_ciphersuites(context, suites) != 1) {
        tls_error(why, "TLS");
        SSL_CTX_free(context);
        return NULL;
    }
    bool own = ca_file != NULL && ca_file[0] != '\0';
    int ok = own ? SSL_CTX_load_verify_locations(context, ca_file, NULL) : SSL_CTX_set_default_verify_paths(context);
    if (ok != 1) {
        tls_error(why, own ? ca_file : "the system's certificate authorities");
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    struct tls_context *tls = wrap(context, why);
    if (tls != NULL)
        tls->trusts_system = !own;
    return tls;
}

/* Returns true for "1a2b3c4d.0": OpenSSL finds an authority in a folder by the hash of its name. */
static bool is_hashed_name(const char *name)
{
    return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           strspn(name + 9, "0123456789") == strlen(name + 9);
}

static void read_folder(X509_STORE *store, const char *folder)
{
    char path[PATH_MAX];
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (is_hashed_name(entry->d_name) && n > 0 && (size_t)n < sizeof path)
            X509_STORE_load_file(store, path); /* an unreadable file adds no authority */
    }
    closedir(open_folder);
}

/* Returns the value of one of OpenSSL's environment variables, which OpenSSL itself honours, too. */
static const char *place(const char *variable, const char *fallback)
{
    const char *value = secure_getenv(variable);
    return value != NULL ? value : fallback;
}

bool tls_read_authorities(struct tls_context *tls, struct error *why)
{
    if (!tls->trusts_system)
        return true;
    X509_STORE *store = X509_STORE_new();
    char *folders = strdup(place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
    if (store == NULL || folders == NULL) {
        error_set(why, "the system's certificate authorities: out of memory");
        X509_STORE_free(store);
        free(folders);
        return false;
    }
    X509_STORE_load_file(store, place(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
    char *rest = folders;
    for (char *folder; (folder = strsep(&rest, ":")) != NULL;)
        read_folder(store, folder);
    free(folders);
    ERR_clear_error();
    SSL_CTX_set_cert_store(tls->context, store); /* replaces the store that opens files */
    tls->trusts_system = false;
    return true;
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
