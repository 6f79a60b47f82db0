#include "config.h"

#include "atproto/cid.h"

#include <endian.h>
#include <string.h>

enum { CID_VERSION = 1, HASH_SHA2_256 = 0x12 };

bool cid_valid(const uint8_t *bytes, size_t len)
{
    static const uint8_t record[] = {CID_VERSION, CID_CODEC_DAG_CBOR, HASH_SHA2_256, CID_DIGEST_BYTES};
    static const uint8_t blob[] = {CID_VERSION, CID_CODEC_RAW, HASH_SHA2_256, CID_DIGEST_BYTES};
    return len == CID_BYTES &&
           (memcmp(bytes, record, sizeof record) == 0 || memcmp(bytes, blob, sizeof blob) == 0);
}

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

#define IN_EACH_BYTE(n) (UINT64_C(0x0101010101010101) * (n))

/* Writes five bytes as eight digits at once: five bits go into each byte of a word, the first into the highest byte. */
static void write_group(const uint8_t *p, char *text)
{
    uint64_t v = (uint64_t)p[0] << 32 | (uint64_t)p[1] << 24 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 8 | p[4];
    v = (v & UINT64_C(0xfffff00000)) << 12 | (v & 0xfffff);
    v = (v & UINT64_C(0x000ffc00000ffc00)) << 6 | (v & UINT64_C(0x000003ff000003ff));
    v = (v & UINT64_C(0x03e003e003e003e0)) << 3 | (v & UINT64_C(0x001f001f001f001f));
    /* 0 to 25 become letters. Adding 0x80 - 26 sets the highest bit for 26 to 31, which become the figures 2 to 7. */
    uint64_t is_figure = (v + IN_EACH_BYTE(0x80 - 26)) >> 7 & IN_EACH_BYTE(1);
    v = htobe64(v + IN_EACH_BYTE('a') - is_figure * ('a' - ('2' - 26)));
    memcpy(text, &v, 8);
}

void cid_to_text(const uint8_t cid[CID_BYTES], char text[CID_TEXT_BYTES])
{
    *text++ = 'b'; /* multibase: base32, lower case, no padding */
    for (int group = 0; group < CID_BYTES / 5; group++)
        write_group(cid + group * 5, text + group * 8);
    /* 36 bytes are seven groups of five and one more byte, which makes two digits; zero bits fill the last one. */
    text[56] = digits[cid[35] >> 3];
    text[57] = digits[cid[35] << 2 & 31];
}

void cid_append_text(struct buffer *b, const uint8_t cid[CID_BYTES])
{
    if (!buffer_reserve(b, CID_TEXT_BYTES))
        return;
    cid_to_text(cid, (char *)b->data + b->len);
    b->len += CID_TEXT_BYTES;
}
