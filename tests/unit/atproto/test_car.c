/* The index over a CAR finds its blocks, and refuses bytes that are not a CAR. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "atproto/car.h"
#include "wire.h"

static bool read_index(struct car_index *index, const void *bytes, size_t len, struct violation *why)
{
    struct cbor_reader r;
    cbor_reader_init(&r, bytes, len);
    bool ok = car_index_read(index, &r);
    *why = r.violation;
    return ok;
}

static void assert_broken(const struct buffer *car, const char *rule, size_t offset)
{
    struct car_index index = {0};
    struct violation why;
    uint8_t *exact = exact_copy(car->data, car->len);
    assert_false(read_index(&index, exact, car->len, &why));
    assert_string_equal(why.rule, rule);
    assert_int_equal(why.offset, offset);
    car_index_fini(&index);
    free(exact);
}

/* Makes blocks with the numbers 0, 1, 2, … */
static void put_numbered_blocks(struct buffer *car, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        uint8_t cid[CID_BYTES];
        make_cid(cid, &i, sizeof i);
        put_car_block(car, cid, &i, sizeof i);
    }
}

static void assert_holds_numbers(const struct car_index *index, uint32_t end)
{
    for (uint32_t i = 0; i < end + 10; i++) {
        uint8_t cid[CID_BYTES];
        make_cid(cid, &i, sizeof i);
        const struct car_block *block = car_index_find(index, cid);
        assert_true((block != NULL) == (i < end));
        if (block != NULL) {
            assert_int_equal(block->len, sizeof i);
            assert_memory_equal(block->data, &i, sizeof i);
        }
    }
}

static void blocks_are_found_however_many_there_are(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, 2, 15, 16, 17, 18, 64, 65, 3000, 100, 10, 0};
    struct car_index index = {0}; /* one index for all CARs, as in a worker */
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct buffer car;
        struct violation why;
        uint8_t root[CID_BYTES];
        buffer_init(&car);
        make_cid(root, "root", 4);
        put_car_header(&car, root);
        put_numbered_blocks(&car, 0, counts[i]);
        assert_true(read_index(&index, car.data, car.len, &why));
        assert_int_equal(index.count, counts[i]);
        assert_memory_equal(index.root, root, CID_BYTES);
        assert_holds_numbers(&index, counts[i]);
        buffer_fini(&car);
    }
    car_index_clear(&index);
    assert_holds_numbers(&index, 0);
    car_index_fini(&index);
}

static void of_duplicates_the_first_one_counts(void **state)
{
    (void)state;
    for (uint32_t others = 0; others < 40; others += 39) {
        struct car_index index = {0};
        struct buffer car;
        struct violation why;
        uint8_t cid[CID_BYTES];
        buffer_init(&car);
        make_cid(cid, "first", 5);
        put_car_header(&car, cid);
        put_car_block(&car, cid, "first", 5);
        put_numbered_blocks(&car, 0, others);
        put_car_block(&car, cid, "second", 6);
        assert_true(read_index(&index, car.data, car.len, &why));
        assert_int_equal(car_index_find(&index, cid)->len, 5);
        car_index_fini(&index);
        buffer_fini(&car);
    }
}

static void colliding_digests_cost_speed_but_lose_nothing(void **state)
{
    (void)state;
    struct car_index index = {0};
    struct buffer car;
    struct violation why;
    uint8_t cid[CID_BYTES];
    buffer_init(&car);
    make_cid(cid, "", 0);
    put_car_header(&car, cid);
    memset(cid + CID_DIGEST_OFFSET, 0, CID_DIGEST_BYTES);
    for (unsigned i = 0; i < 500; i++) { /* all CIDs begin in the same slot */
        cid[34] = (uint8_t)(i >> 8);
        cid[35] = (uint8_t)i;
        put_car_block(&car, cid, &i, sizeof i);
    }
    put_numbered_blocks(&car, 0, 100);
    assert_true(read_index(&index, car.data, car.len, &why));
    assert_int_equal(index.table_size, 0);
    assert_holds_numbers(&index, 100);
    cid[34] = 1, cid[35] = 3;
    unsigned wanted = 259;
    assert_memory_equal(car_index_find(&index, cid)->data, &wanted, sizeof wanted);
    car_index_fini(&index);
    buffer_fini(&car);
}

static void foreign_cids_are_passed_over(void **state)
{
    (void)state;
    struct car_index index = {0};
    struct buffer car;
    struct violation why;
    uint8_t cid[CID_BYTES];
    buffer_init(&car);
    make_cid(cid, "", 0);
    put_car_header(&car, cid);
    put_section(&car,
                "\x12\x20"
                "0123456789abcdef0123456789abcdef"
                "data",
                38);                                 /* version 0 */
    put_section(&car, "\x01\x71\x00\x02xydata", 10); /* identity hash */
    put_section(&car, "\x01\x71\x00\x00", 4);
    put_numbered_blocks(&car, 0, 3);
    assert_true(read_index(&index, car.data, car.len, &why));
    assert_int_equal(index.count, 3);
    assert_holds_numbers(&index, 3);
    car_index_fini(&index);
    buffer_fini(&car);
}

static void what_is_no_car_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *rule;
        size_t offset; /* counts from the end of the good header if `behind` is set */
        bool behind;
    } cases[] = {
        {"", 0, "CAR ends in the middle of a length", 0, false},
        {"\x80", 1, "CAR ends in the middle of a length", 0, false},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, "CAR length above 64 bits", 0, false},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, "CAR length above 64 bits", 0, false},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, "CAR ends in the middle of a section", 0, false},
        {"\x01\x80", 2, "CAR header is not a map", 1, false},
        {"\x01\xa0", 2, "CAR version is not 1", 2, false},
        {"\x0a\xa1\x67version\x01", 11, "CAR header has no roots", 11, false},
        {"\x0a\xa1\x67version\x02", 11, "CAR version is not 1", 11, false},
        {"\x0a\xa1\x67version\x20", 11, "CAR version is not a number", 10, false},
        {"\x08\xa1\x65roots\xf6", 9, "CAR roots are not an array", 8, false},
        {"\x09\xa1\x65roots\x81\x01", 10, "CAR root is not a CID", 9, false},
        {"\x12\xa2\x65roots\x80\x67version\x01\x00", 19, "bytes behind the CAR header", 18, false},
        {"\x11\xa2\x67version\x01\x65roots\x80", 18, "map keys are not in order, or not unique", 11, false},
        {"\x00", 1, "CAR ends in the middle of a length", 1, true},
        {"\x05x", 2, "CAR ends in the middle of a section", 0, true},
        {"\x05\x02\x71\x12\x00x", 6, "CAR block without a CID", 1, true},
        {"\x05\x01\x71\x12\x20x", 6, "CAR block ends in the middle of its CID", 5, true},
    };
    uint8_t root[CID_BYTES];
    make_cid(root, "", 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer car;
        buffer_init(&car);
        if (cases[i].behind)
            put_car_header(&car, root);
        size_t offset = car.len + cases[i].offset;
        buffer_append(&car, cases[i].bytes, cases[i].len);
        assert_broken(&car, cases[i].rule, offset);
        buffer_fini(&car);
    }
}

static void lengths_may_be_written_longer_than_necessary(void **state)
{
    (void)state;
    static const char car[] = "\x91\x80\x80\x00\xa2\x65roots\x80\x67version\x01";
    struct car_index index = {0};
    struct violation why;
    assert_true(read_index(&index, car, sizeof car - 1, &why));
    assert_int_equal(index.count, 0);
    assert_null(index.root); /* the header names no root */
    car_index_fini(&index);
}

static void a_car_cut_anywhere_but_between_blocks_is_refused(void **state)
{
    (void)state;
    struct car_index index = {0};
    struct buffer car;
    struct violation why;
    uint8_t root[CID_BYTES];
    buffer_init(&car);
    make_cid(root, "", 0);
    put_car_header(&car, root);
    size_t header = car.len;
    put_numbered_blocks(&car, 0, 3);
    size_t block = (car.len - header) / 3;
    for (size_t len = 0; len < car.len; len++) {
        bool between = len >= header && (len - header) % block == 0;
        uint8_t *cut = exact_copy(car.data, len);
        assert_true(read_index(&index, cut, len, &why) == between);
        free(cut);
    }
    car_index_fini(&index);
    buffer_fini(&car);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_found_however_many_there_are),
        cmocka_unit_test(of_duplicates_the_first_one_counts),
        cmocka_unit_test(colliding_digests_cost_speed_but_lose_nothing),
        cmocka_unit_test(foreign_cids_are_passed_over),
        cmocka_unit_test(what_is_no_car_is_refused_with_its_place),
        cmocka_unit_test(lengths_may_be_written_longer_than_necessary),
        cmocka_unit_test(a_car_cut_anywhere_but_between_blocks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
