#include "config.h"

#include "net/ws_key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void ws_key_make(char key[WS_KEY_TEXT_BYTES])
{
    unsigned char bytes[16];
    ssize_t n;
    do
        n = getrandom(bytes, sizeof bytes, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof bytes)
        abort(); /* getrandom(2): up to 256 bytes never fail once the system is up */
    EVP_EncodeBlock((unsigned char *)key, bytes, sizeof bytes);
}

bool ws_key_accept(const char *key, char accept[WS_ACCEPT_TEXT_BYTES])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* §1.3 */
    char both[64 + sizeof guid];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    size_t key_len = strlen(key);
    accept[0] = '\0';
    if (key_len + sizeof guid > sizeof both)
        return false;
    memcpy(both, key, key_len);
    memcpy(both + key_len, guid, sizeof guid);
    if (EVP_Digest(both, key_len + sizeof guid - 1, digest, &digest_len, EVP_sha1(), NULL) != 1 || digest_len != 20)
        return false;
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)digest_len);
    return true;
}
