/* Items are written in the only form that DAG-CBOR allows: the strict reader takes them, and the bytes are known. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "atproto/cbor.h"
#include "cbor_write.h"

static void assert_bytes(struct buffer *b, const void *expected, size_t len)
{
    assert_false(b->failed);
    assert_int_equal(b->len, len);
    assert_memory_equal(b->data, expected, len);
    buffer_fini(b);
}
#define assert_literal(b, literal) assert_bytes(b, literal, sizeof(literal) - 1)

static void integers_take_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } cases[] = {
        {0, "\x00", 1},
        {23, "\x17", 1},
        {24, "\x18\x18", 2},
        {255, "\x18\xff", 2},
        {256, "\x19\x01\x00", 3},
        {65535, "\x19\xff\xff", 3},
        {65536, "\x1a\x00\x01\x00\x00", 5},
        {UINT32_MAX, "\x1a\xff\xff\xff\xff", 5},
        {31527015322, "\x1b\x00\x00\x00\x07\x57\x28\x13\x9a", 9},
        {INT64_MAX, "\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {-1, "\x20", 1},
        {-24, "\x37", 1},
        {-25, "\x38\x18", 2},
        {INT64_MIN, "\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b;
        buffer_init(&b);
        cbor_write_int(&b, cases[i].value);
        assert_bytes(&b, cases[i].bytes, cases[i].len);
    }
}

static void simple_values_and_text_have_known_bytes(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    cbor_write_map(&b, 2);
    cbor_pair_text(&b, "t", "é");
    cbor_write_text(&b, "list");
    cbor_write_array(&b, 4);
    cbor_write_bool(&b, true);
    cbor_write_bool(&b, false);
    cbor_write_null(&b);
    cbor_write_bytes(&b, "\1\2", 2);
    assert_literal(&b, "\xa2\x61t\x62\xc3\xa9\x64list\x84\xf5\xf4\xf6\x42\1\2");
}

static void a_link_is_tag_42_with_a_leading_zero(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES] = {0x01, 0x71, 0x12, 0x20, 0xaa};
    struct buffer b;
    struct cbor_reader r;
    struct cbor_token t;
    buffer_init(&b);
    cbor_write_link(&b, cid);
    assert_memory_equal(b.data, "\xd8\x2a\x58\x25\x00\x01\x71\x12\x20\xaa", 10);
    cbor_reader_init(&r, b.data, b.len);
    assert_true(cbor_next(&r, &t));
    assert_int_equal(t.kind, CBOR_LINK);
    assert_memory_equal(t.data, cid, CID_BYTES);
    buffer_fini(&b);
}

static void the_strict_reader_takes_what_is_written(void **state)
{
    (void)state;
    struct buffer b;
    struct cbor_reader r;
    buffer_init(&b);
    cbor_write_map(&b, 4);
    cbor_pair_int(&b, "a", 4294967296);
    cbor_pair_bool(&b, "b", true);
    cbor_pair_link(&b, "c", NULL);
    cbor_write_text(&b, "aa");
    for (int depth = 0; depth < 100; depth++)
        cbor_write_array(&b, 1);
    cbor_write_map(&b, 0);
    cbor_reader_init(&r, b.data, b.len);
    assert_true(cbor_skip(&r));
    assert_ptr_equal(r.at, r.end);
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_shortest_form),
        cmocka_unit_test(simple_values_and_text_have_known_bytes),
        cmocka_unit_test(a_link_is_tag_42_with_a_leading_zero),
        cmocka_unit_test(the_strict_reader_takes_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
