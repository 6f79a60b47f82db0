/* This project's reader and libcbor's give the same token, or the same rule at the same offset: for every possible
 * head, for spoiled items of all kinds, and for noise. */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "atproto/cbor.h"
#include "cbor_reference.h"
#include "wire.h"

enum { ROUNDS = 200000, MAX_BYTES = 64 };
static const uint64_t default_seed = 20240731;

static uint64_t state;

static uint64_t random_number(void) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void fail_with(const uint8_t *bytes, size_t len, const char *what)
{
    char hex[2 * MAX_BYTES + 1] = "";
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    fail_msg("%s differs: %s", what, hex);
}

/* Copies into memory of exactly this size, so that a sanitizer finds a read behind the end. */
static void assert_same(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = exact_copy(bytes, len);
    struct cbor_reader ours, theirs;
    struct cbor_token a, b;
    cbor_reader_init(&ours, exact, len);
    cbor_reader_init(&theirs, exact, len);
    for (bool more = true; more;) {
        bool well = cbor_next(&ours, &a);
        if (well != reference_next(&theirs, &b))
            fail_with(bytes, len, "the verdict");
        if (ours.at != theirs.at)
            fail_with(bytes, len, "where the reader stands");
        if (well && (a.kind != b.kind || a.value != b.value || a.data != b.data || a.len != b.len))
            fail_with(bytes, len, "the token");
        if (!well && (strcmp(ours.violation.rule, theirs.violation.rule) != 0 ||
                      ours.violation.offset != theirs.violation.offset))
            fail_with(bytes, len, "the reason");
        more = well && ours.at < ours.end;
    }
    free(exact);
}

static void every_head_is_read_alike(void **unused)
{
    (void)unused;
    static const uint8_t fills[] = {0x00, 0x01, 0x17, 0x18, 0x2a, 0x40, 0x58, 0x7f, 0x80, 0xff};
    uint8_t bytes[MAX_BYTES];
    for (unsigned first = 0; first < 256; first++)
        for (size_t fill = 0; fill < sizeof fills; fill++)
            for (size_t len = 1; len <= 40; len++) {
                memset(bytes, fills[fill], sizeof bytes);
                bytes[0] = (uint8_t)first;
                assert_same(bytes, len);
                bytes[1] = 0; /* the longest forms of small values */
                bytes[2] = 0;
                assert_same(bytes, len);
            }
    assert_same(bytes, 0);
}

static void every_head_behind_a_tag_is_read_alike(void **unused)
{
    (void)unused;
    uint8_t bytes[MAX_BYTES] = {0xd8, 42, 0, 37, 0, 1, 0x71, 0x12, 0x20};
    for (unsigned inner = 0; inner < 256; inner++)
        for (size_t len = 2; len <= 44; len++)
            for (int length = 35; length < 39; length++) {
                bytes[2] = (uint8_t)inner;
                bytes[3] = (uint8_t)length;
                assert_same(bytes, len);
            }
}

static void spoiled_items_are_read_alike(void **unused)
{
    (void)unused;
    static const uint8_t good[][MAX_BYTES] = {
        "\xa2\x61\x61\x18\x64\x62\x62\x62\x39\x01\x00\x84\xf4\xf5\xf6\x1b\x00\x00\x00\x07\xff\xff\xff\xff",
        "\x78\x1b\x61\x62\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and some more text",
        "\xd8\x2a\x58\x25\x00\x01\x71\x12\x20 the digest, of thirty-two bytes",
        "\x58\x20 a byte string of thirty-two byt\x19\x01\x00\x1a\x00\x01\x00\x00",
    };
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bytes[MAX_BYTES];
        memcpy(bytes, good[random_number() % 4], sizeof bytes);
        for (uint64_t i = random_number() % 4; i > 0; i--)
            bytes[random_number() % sizeof bytes] = (uint8_t)random_number();
        assert_same(bytes, 1 + random_number() % sizeof bytes);
    }
}

static void noise_is_read_alike(void **unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bytes[MAX_BYTES];
        size_t len = random_number() % (sizeof bytes + 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)random_number();
        assert_same(bytes, len);
    }
}

int main(void)
{
    const char *seed = getenv("SEED");
    state = seed != NULL ? strtoull(seed, NULL, 10) | 1 : default_seed;
    printf("SEED=%" PRIu64 "\n", state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_head_is_read_alike),
        cmocka_unit_test(every_head_behind_a_tag_is_read_alike),
        cmocka_unit_test(spoiled_items_are_read_alike),
        cmocka_unit_test(noise_is_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
