#include "config.h"

#include "atproto/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* Looking the algorithm up by name costs more than hashing a record: it is done once. */
struct sha256 {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->context = EVP_MD_CTX_new();
    if (h->algorithm == NULL || h->context == NULL) {
        sha256_free(h);
        return NULL;
    }
    return h;
}

void sha256_free(struct sha256 *h)
{
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->context);
    EVP_MD_free(h->algorithm);
    free(h);
}

bool sha256_digest(struct sha256 *h, const void *bytes, size_t len, uint8_t digest[32])
{
    return EVP_DigestInit_ex2(h->context, h->algorithm, NULL) == 1 &&
           EVP_DigestUpdate(h->context, bytes, len) == 1 && EVP_DigestFinal_ex(h->context, digest, NULL) == 1;
}
