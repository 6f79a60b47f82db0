/* tls.h: TLS contexts (OpenSSL): TLS 1.2 or newer, peers verified. */
#ifndef FIREHOSED_NET_TLS_H
#define FIREHOSED_NET_TLS_H

#include <stdbool.h>

#include "base/error.h"

struct tls_context;

/* For connecting: trusts the system's authorities, or only those in ca_file where it is not NULL or "". */
struct tls_context *tls_client_new(const char *ca_file, struct error *why);

/* For serving (firehose-replay). PEM files. */
struct tls_context *tls_server_new(const char *cert_file, const char *key_file, struct error *why);

/* Reads the system's authorities at once. Else OpenSSL looks for the file of one when a certificate is to be checked,
 * which a process that can open no files does not survive. Nothing to do where a CA file was given. False: *why. */
bool tls_read_authorities(struct tls_context *tls, struct error *why);

void tls_free(struct tls_context *tls);

#endif
