/* The strict reader takes tokens of DAG-CBOR, refuses others, and reports the offset of the fault. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "atproto/cbor.h"
#include "wire.h"

#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

static struct cbor_token read_good(const uint8_t *bytes, size_t len)
{
    struct cbor_reader r;
    struct cbor_token t;
    cbor_reader_init(&r, bytes, len);
    if (!cbor_next(&r, &t))
        fail_msg("refused: %s at %zu", r.violation.rule, r.violation.offset);
    return t;
}

/* Asserts that reading and skipping refuse the bytes with the same rule at the same offset. */
static void assert_refused(const uint8_t *bytes, size_t len, const char *rule, size_t offset)
{
    uint8_t *exact = exact_copy(bytes, len);
    struct cbor_reader r;
    cbor_reader_init(&r, exact, len);
    assert_false(cbor_skip(&r));
    assert_string_equal(r.violation.rule, rule);
    assert_int_equal(r.violation.offset, offset);
    assert_ptr_equal(r.at, exact + offset);
    free(exact);
}

static void integers_are_read_up_to_64_bits(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,     1,          23,         24,        255,        256,       65535,
                                      65536, UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buffer b;
        buffer_init(&b);
        put_uint(&b, values[i]);
        struct cbor_token t = read_good(b.data, b.len);
        assert_int_equal(t.kind, CBOR_UNSIGNED);
        assert_true(t.value == values[i]);
        buffer_fini(&b);
    }
}

static void negative_integers_end_at_minus_2_to_the_63(void **state)
{
    (void)state;
    struct cbor_token t = read_good(BYTES("\x20"));
    assert_int_equal(t.kind, CBOR_NEGATIVE);
    assert_int_equal(t.value, 0);
    t = read_good(BYTES("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"));
    assert_true(t.kind == CBOR_NEGATIVE && t.value == INT64_MAX);
    assert_refused(BYTES("\x3b\x80\0\0\0\0\0\0\0"), "integer below -2^63", 0);
    assert_refused(BYTES("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), "integer below -2^63", 0);
}

static void texts_and_bytes_point_into_the_input(void **state)
{
    (void)state;
    static const uint8_t text[] = "\x64\xf0\x9f\x98\x80", bytes[] = "\x43\0\xff\x01";
    struct cbor_token t = read_good(text, sizeof text - 1);
    assert_int_equal(t.kind, CBOR_TEXT);
    assert_ptr_equal(t.data, text + 1);
    assert_int_equal(t.len, 4);
    t = read_good(bytes, sizeof bytes - 1);
    assert_int_equal(t.kind, CBOR_BYTES);
    assert_ptr_equal(t.data, bytes + 1);
    assert_int_equal(t.len, 3);
}

static void only_false_true_and_null_are_simple_values(void **state)
{
    (void)state;
    assert_int_equal(read_good(BYTES("\xf4")).value, 0);
    assert_int_equal(read_good(BYTES("\xf5")).value, 1);
    assert_int_equal(read_good(BYTES("\xf5")).kind, CBOR_BOOL);
    assert_int_equal(read_good(BYTES("\xf6")).kind, CBOR_NULL);
    assert_refused(BYTES("\xf7"), "undefined is not in the data model", 0);
    for (unsigned head = 0xe0; head <= 0xf3; head++) {
        uint8_t byte = (uint8_t)head;
        assert_refused(&byte, 1, "not an item of DAG-CBOR", 0);
    }
    assert_refused(BYTES("\xf8\x20"), "not an item of DAG-CBOR", 0);
    assert_refused(BYTES("\xf8\x14"), "not an item of DAG-CBOR", 0);
}

static void floats_of_every_width_are_refused(void **state)
{
    (void)state;
    assert_refused(BYTES("\xf9\x3c\x00"), "floats are not in the data model", 0);
    assert_refused(BYTES("\xfa\x3f\x80\0\0"), "floats are not in the data model", 0);
    assert_refused(BYTES("\x82\x01\xfb\x3f\xf0\0\0\0\0\0\0"), "floats are not in the data model", 2);
}

static void indefinite_lengths_are_refused(void **state)
{
    (void)state;
    assert_refused(BYTES("\x5f\x41x\xff"), "indefinite length", 0);
    assert_refused(BYTES("\x7f\x61x\xff"), "indefinite length", 0);
    assert_refused(BYTES("\x9f\x01\xff"), "indefinite length", 0);
    assert_refused(BYTES("\xbf\x61x\x01\xff"), "indefinite length", 0);
    assert_refused(BYTES("\x81\xff"), "break without an indefinite length", 1);
}

static void longer_forms_than_the_shortest_are_refused(void **state)
{
    (void)state;
    static const char rule[] = "integer or length not in its shortest form";
    for (unsigned major = MAJOR_UNSIGNED; major <= MAJOR_TAG; major++) {
        uint8_t item[400] = {0};
        item[0] = (uint8_t)(major << 5 | 24), item[1] = 23;
        assert_refused(item, sizeof item, rule, 0);
        item[0] = (uint8_t)(major << 5 | 25), item[1] = 0, item[2] = 255;
        assert_refused(item, sizeof item, rule, 0);
        item[0] = (uint8_t)(major << 5 | 26), item[2] = 0, item[3] = 1, item[4] = 1;
        assert_refused(item, sizeof item, rule, 0);
        item[0] = (uint8_t)(major << 5 | 27), item[3] = item[4] = 0, item[7] = 1;
        assert_refused(item, sizeof item, rule, 0);
    }
}

static void invalid_utf8_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    static const char rule[] = "text is not valid UTF-8";
    assert_refused(BYTES("\x62\xc3\x28"), rule, 1);
    assert_refused(BYTES("\x64ok\xed\xa0"), rule, 3);
    assert_refused(BYTES("\x62\xc0\xaf"), rule, 1);
    assert_refused(BYTES("\xa1\x61\xff\x01"), rule, 2);
}

static void a_link_is_tag_42_with_a_valid_cid(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    make_cid(cid, "x", 1);
    buffer_init(&b);
    put_link(&b, cid);
    struct cbor_token t = read_good(b.data, b.len);
    assert_int_equal(t.kind, CBOR_LINK);
    assert_int_equal(t.len, CID_BYTES);
    assert_memory_equal(t.data, cid, CID_BYTES);

    static const char rule[] = "tag 42 without a valid CID";
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{4, 1}, {5, 0}, {5, 2}, {6, 0x70}, {7, 0x13}, {8, 31}, {2, 0x78}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t *changed = exact_copy(b.data, b.len);
        changed[changes[i].at] = changes[i].value;
        if (changes[i].at == 2)
            changed[5] = 'x'; /* now it is text */
        struct cbor_reader r;
        cbor_reader_init(&r, changed, b.len);
        assert_false(cbor_next(&r, &t));
        assert_string_equal(r.violation.rule, rule);
        assert_int_equal(r.violation.offset, 2);
        free(changed);
    }
    assert_refused(BYTES("\xd8\x2a\x40"), rule, 2);
    assert_refused(BYTES("\xd8\x2a\x01"), rule, 2);
    assert_refused(BYTES("\xd8\x2a\xd8\x2a\x40"), rule, 2);
    assert_refused(BYTES("\xd8\x2a"), "ends in the middle of an item", 2);
    buffer_fini(&b);
}

static void other_tags_are_refused(void **state)
{
    (void)state;
    assert_refused(BYTES("\xc0\x61x"), "a tag other than 42", 0);
    assert_refused(BYTES("\xc2\x41\x01"), "a tag other than 42", 0);
    assert_refused(BYTES("\xd8\x29\x41\x01"), "a tag other than 42", 0);
    assert_refused(BYTES("\xd9\xd9\xf7\x01"), "a tag other than 42", 0);
}

static void counts_beyond_the_bytes_left_are_refused_at_once(void **state)
{
    (void)state;
    static const char rule[] = "more items than bytes are left";
    assert_int_equal(read_good(BYTES("\x83\x01\x02\x03")).value, 3);
    assert_int_equal(read_good(BYTES("\xa1\x61x\x03")).value, 1);
    assert_refused(BYTES("\x84\x01\x02\x03"), rule, 0);
    assert_refused(BYTES("\xa2\x60\x02\x03"), rule, 0);
    assert_refused(BYTES("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), rule, 0);
    assert_refused(BYTES("\xbb\x80\0\0\0\0\0\0\0\0\0"), rule, 0);
    assert_refused(BYTES("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"), "ends in the middle of an item", 0);
    assert_refused(BYTES("\x7b\xff\xff\xff\xff\xff\xff\xff\xf7x"), "ends in the middle of an item", 0);
}

static void map_keys_are_texts_in_canonical_order(void **state)
{
    (void)state;
    static const char order[] = "map keys are not in order, or not unique";
    struct cbor_reader r;
    cbor_reader_init(&r, BYTES("\xa4\x60\x01\x61z\x02\x62"
                               "aa\x03\x62"
                               "ab\x04"));
    assert_true(cbor_skip(&r));
    assert_ptr_equal(r.at, r.end);
    assert_refused(BYTES("\xa2\x61x\x01\x61x\x02"), order, 4);
    assert_refused(BYTES("\xa2\x61y\x01\x61x\x02"), order, 4);
    assert_refused(BYTES("\xa2\x62xx\x01\x61y\x02"), order, 5);
    assert_refused(BYTES("\x81\xa2\x61x\xa1\x61x\x01\x61x\x02"), order, 8);
    assert_refused(BYTES("\xa1\x01\x01"), "map key is not text", 1);
    assert_refused(BYTES("\xa1\x41x\x01"), "map key is not text", 1);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    enum { DEEP = 4394 };
    uint8_t item[DEEP];
    memset(item, 0x81, sizeof item);
    assert_refused(item, sizeof item, CBOR_RULE_TOO_DEEP, CBOR_MAX_DEPTH);
    struct cbor_reader r;
    item[CBOR_MAX_DEPTH - 1] = 0x80;
    cbor_reader_init(&r, item, sizeof item);
    assert_true(cbor_skip(&r));
    assert_ptr_equal(r.at, item + CBOR_MAX_DEPTH);
}

static void skipping_passes_exactly_one_item(void **state)
{
    (void)state;
    static const uint8_t items[] = "\x82\xa1\x61x\x80\x82\x01\xa0\x05";
    struct cbor_reader r;
    cbor_reader_init(&r, items, sizeof items - 1);
    assert_true(cbor_skip(&r));
    assert_ptr_equal(r.at, items + 8);
    assert_true(cbor_skip(&r));
    assert_ptr_equal(r.at, r.end);
    assert_false(cbor_skip(&r));
}

static void an_item_cut_anywhere_is_refused(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    make_cid(cid, "x", 1);
    buffer_init(&b);
    put_map(&b, 3);
    put_text(&b, "a");
    put_array(&b, 3);
    put_uint(&b, UINT64_MAX);
    put_link(&b, cid);
    put_text(&b, "a longer text than one byte of head can tell");
    put_text(&b, "b");
    put_bytes(&b, "xyz", 3);
    put_text(&b, "c");
    put_null(&b);
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *cut = exact_copy(b.data, len);
        struct cbor_reader r;
        cbor_reader_init(&r, cut, len);
        assert_false(cbor_skip(&r));
        assert_non_null(r.violation.rule);
        assert_true(r.violation.offset <= len);
        free(cut);
    }
    buffer_fini(&b);
}

static void expecting_another_kind_leaves_the_reader_where_it_was(void **state)
{
    (void)state;
    static const uint8_t item[] = "\x01\x61x";
    struct cbor_reader r;
    struct cbor_token t;
    cbor_reader_init(&r, item, sizeof item - 1);
    assert_true(cbor_expect(&r, CBOR_UNSIGNED, &t, "never"));
    assert_false(cbor_expect(&r, CBOR_BYTES, &t, "no bytes"));
    assert_string_equal(r.violation.rule, "no bytes");
    assert_int_equal(r.violation.offset, 1);
    assert_true(cbor_expect(&r, CBOR_TEXT, &t, "never"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_up_to_64_bits),
        cmocka_unit_test(negative_integers_end_at_minus_2_to_the_63),
        cmocka_unit_test(texts_and_bytes_point_into_the_input),
        cmocka_unit_test(only_false_true_and_null_are_simple_values),
        cmocka_unit_test(floats_of_every_width_are_refused),
        cmocka_unit_test(indefinite_lengths_are_refused),
        cmocka_unit_test(longer_forms_than_the_shortest_are_refused),
        cmocka_unit_test(invalid_utf8_is_refused_at_its_first_byte),
        cmocka_unit_test(a_link_is_tag_42_with_a_valid_cid),
        cmocka_unit_test(other_tags_are_refused),
        cmocka_unit_test(counts_beyond_the_bytes_left_are_refused_at_once),
        cmocka_unit_test(map_keys_are_texts_in_canonical_order),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(skipping_passes_exactly_one_item),
        cmocka_unit_test(an_item_cut_anywhere_is_refused),
        cmocka_unit_test(expecting_another_kind_leaves_the_reader_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
