/* tls.h: TLS contexts (OpenSSL): TLS 1.2 or newer; clients verify the server. The functions return NULL or false on
 * failure and fill *why. */
#ifndef FIREHOSED_NET_TLS_H
#define FIREHOSED_NET_TLS_H

#include <stdbool.h>

#include "base/error.h"

struct tls_context;

/* Makes a context for connecting. It trusts the authorities in ca_file, or the system's if ca_file is NULL or "". */
struct tls_context *tls_client_new(const char *ca_file, struct error *why);

/* Makes a context for serving (firehose-replay), from PEM files. */
struct tls_context *tls_server_new(const char *cert_file, const char *key_file, struct error *why);

/* Reads the system's authorities now. Otherwise OpenSSL opens their files when it checks a certificate, and the sandbox
 * kills a worker that opens a file. Does nothing if the context has a CA file. */
bool tls_read_authorities(struct tls_context *tls, struct error *why);

void tls_free(struct tls_context *tls); /* NULL is fine */

#endif
