/* CIDs, and the hash in them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "atproto/cid.h"
#include "base/sha256.h"
#include "wire.h"

static void only_the_cids_of_at_protocol_are_valid(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES + 1] = {0};
    make_cid(cid, "", 0);
    assert_true(cid_valid(cid, CID_BYTES));
    for (size_t len = 0; len < CID_BYTES; len++)
        assert_false(cid_valid(cid, len));
    assert_false(cid_valid(cid, CID_BYTES + 1));
    cid[1] = CID_CODEC_RAW;
    assert_true(cid_valid(cid, CID_BYTES));
    for (size_t at = 0; at < CID_DIGEST_OFFSET; at++) {
        make_cid(cid, "", 0);
        cid[at] ^= 0x40;
        assert_false(cid_valid(cid, CID_BYTES));
    }
}

/* The code makes all eight digits of a group at once; the reference takes one bit after another. */
static void every_digit_stands_where_its_bits_say(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        uint8_t cid[CID_BYTES];
        char text[CID_TEXT_BYTES];
        for (unsigned i = 0; i < CID_BYTES; i++)
            cid[i] = (uint8_t)(round * 131 + i * (round | 1) * 29);
        cid_to_text(cid, text);
        assert_int_equal(text[0], 'b');
        for (unsigned digit = 0; digit < CID_TEXT_BYTES - 1; digit++) {
            unsigned value = 0;
            for (unsigned bit = digit * 5; bit < digit * 5 + 5; bit++)
                value = value << 1 | (bit < 8 * CID_BYTES ? cid[bit / 8] >> (7 - bit % 8) & 1u : 0);
            assert_int_equal(text[1 + digit], "abcdefghijklmnopqrstuvwxyz234567"[value]);
        }
    }
}

static void text_is_base32_in_lower_case(void **state)
{
    (void)state;
    /* The well-known CID of an empty map in DAG-CBOR. */
    static const char expected[] = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";
    uint8_t cid[CID_BYTES];
    struct buffer b;
    make_cid(cid, "\xa0", 1);
    buffer_init(&b);
    cid_append_text(&b, cid);
    assert_int_equal(b.len, CID_TEXT_BYTES);
    assert_memory_equal(b.data, expected, CID_TEXT_BYTES);
    buffer_fini(&b);
}

static void every_bit_reaches_the_text(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES] = {0};
    char zero[CID_TEXT_BYTES], text[CID_TEXT_BYTES];
    cid_to_text(cid, zero);
    for (size_t bit = 0; bit < CID_BYTES * 8; bit++) {
        cid[bit / 8] = (uint8_t)(0x80 >> bit % 8);
        cid_to_text(cid, text);
        for (size_t digit = 0; digit < CID_TEXT_BYTES; digit++)
            assert_true((text[digit] != zero[digit]) == (digit == 1 + bit / 5));
        cid[bit / 8] = 0;
    }
}

static void hashing_again_with_the_same_objects_gives_the_same(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES], digest[32];
    struct sha256 *h = sha256_new();
    assert_non_null(h);
    for (int i = 0; i < 3; i++) {
        make_cid(cid, "abc", 3);
        assert_true(sha256_digest(h, "abc", 3, digest));
        assert_memory_equal(digest, cid + CID_DIGEST_OFFSET, sizeof digest);
        make_cid(cid, "", 0);
        assert_true(sha256_digest(h, "", 0, digest));
        assert_memory_equal(digest, cid + CID_DIGEST_OFFSET, sizeof digest);
    }
    sha256_free(h);
    sha256_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_cids_of_at_protocol_are_valid),
        cmocka_unit_test(text_is_base32_in_lower_case),
        cmocka_unit_test(every_digit_stands_where_its_bits_say),
        cmocka_unit_test(every_bit_reaches_the_text),
        cmocka_unit_test(hashing_again_with_the_same_objects_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
