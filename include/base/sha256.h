/* sha256.h: SHA-256 by OpenSSL. The object is made once and used for every block. */
#ifndef FIREHOSED_BASE_SHA256_H
#define FIREHOSED_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sha256;

struct sha256 *sha256_new(void); /* returns NULL if memory is short, or if OpenSSL has no SHA-256 */
void sha256_free(struct sha256 *h); /* NULL is fine */

/* Returns false only if OpenSSL failed. */
bool sha256_digest(struct sha256 *h, const void *bytes, size_t len, uint8_t digest[32]);

#endif
