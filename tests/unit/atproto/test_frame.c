/* The envelope: every kind of frame, its required fields, and the fields that the master peeks at. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "atproto/frame.h"
#include "wire.h"

static const char DID[] = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
static struct frame parsed; /* 8 kB: too large for the stack of every test */

static void assert_slice(struct slice s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.ptr, expected, s.len);
}

static void parse_good(const struct buffer *frame)
{
    struct violation why;
    if (!frame_parse(frame->data, frame->len, &parsed, &why))
        fail_msg("refused: %s at %zu", why.rule, why.offset);
}

static void assert_refused(const struct buffer *frame, const char *rule, size_t offset)
{
    struct violation why;
    assert_false(frame_parse(frame->data, frame->len, &parsed, &why));
    assert_string_equal(why.rule, rule);
    assert_int_equal(why.offset, offset);
}

static void put_seq(struct buffer *b, uint64_t seq)
{
    put_text(b, "seq");
    put_uint(b, seq);
}

static void put_identity(struct buffer *b, uint64_t seq)
{
    put_header(b, "#identity");
    put_map(b, 4);
    put_text_field(b, "did", DID);
    put_seq(b, seq);
    put_text_field(b, "time", "2026-01-01T00:00:00Z");
    put_text_field(b, "handle", "alice.example");
}

static void put_op(struct buffer *b, const char *action, const char *path, const uint8_t *cid)
{
    put_map(b, 3);
    put_text(b, "cid");
    if (cid != NULL)
        put_link(b, cid);
    else
        put_null(b);
    put_text_field(b, "path", path);
    put_text_field(b, "action", action);
}

/* Appends a commit with `ops` deletions and no blocks. */
static void put_commit(struct buffer *b, uint64_t ops, const uint8_t *cid)
{
    put_header(b, "#commit");
    put_map(b, 9);
    put_text(b, "ops");
    put_array(b, ops);
    for (uint64_t i = 0; i < ops; i++)
        put_op(b, i == 0 ? "create" : "delete", "a.b.c/1", i == 0 ? cid : NULL);
    put_text_field(b, "rev", "3mptbypluud2a");
    put_seq(b, 31527015322);
    put_text_field(b, "repo", DID);
    put_text_field(b, "time", "2026-01-01T00:00:00Z");
    put_text(b, "since");
    put_null(b);
    put_text(b, "commit");
    put_link(b, cid);
    put_text(b, "tooBig");
    put_bool(b, true);
    put_text(b, "prevData");
    put_link(b, cid);
}

static void a_commit_is_parsed_whole(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    buffer_init(&b);
    make_cid(cid, "x", 1);
    put_commit(&b, 3, cid);
    parse_good(&b);
    assert_int_equal(parsed.kind, FRAME_COMMIT);
    assert_true(parsed.seq == 31527015322);
    assert_slice(parsed.did, DID);
    assert_slice(parsed.rev, "3mptbypluud2a");
    assert_null(parsed.since.ptr);
    assert_memory_equal(parsed.commit, cid, CID_BYTES);
    assert_memory_equal(parsed.prev_data, cid, CID_BYTES);
    assert_true(parsed.too_big);
    assert_int_equal(parsed.blocks.len, 0);
    assert_int_equal(parsed.op_count, 3);
    assert_int_equal(parsed.ops[0].action, OP_CREATE);
    assert_memory_equal(parsed.ops[0].cid, cid, CID_BYTES);
    assert_int_equal(parsed.ops[2].action, OP_DELETE);
    assert_null(parsed.ops[2].cid);
    assert_null(parsed.ops[2].prev);
    assert_slice(parsed.ops[2].path, "a.b.c/1");
    buffer_fini(&b);
}

static void a_commit_has_200_ops_at_most(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    buffer_init(&b);
    make_cid(cid, "x", 1);
    put_commit(&b, FRAME_MAX_OPS, cid);
    parse_good(&b);
    assert_int_equal(parsed.op_count, FRAME_MAX_OPS);
    buffer_clear(&b);
    put_commit(&b, FRAME_MAX_OPS + 1, cid);
    struct violation why;
    assert_false(frame_parse(b.data, b.len, &parsed, &why));
    assert_string_equal(why.rule, "more ops than a commit may have");
    buffer_fini(&b);
}

static void nothing_of_the_frame_before_is_left_over(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    buffer_init(&b);
    make_cid(cid, "x", 1);
    put_commit(&b, 3, cid);
    parse_good(&b);
    buffer_clear(&b);
    put_identity(&b, 5);
    parse_good(&b);
    assert_int_equal(parsed.kind, FRAME_IDENTITY);
    assert_slice(parsed.handle, "alice.example");
    assert_int_equal(parsed.op_count, 0);
    assert_null(parsed.rev.ptr);
    assert_null(parsed.commit);
    assert_false(parsed.too_big);
    buffer_fini(&b);
}

static void seq_has_63_bits(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_identity(&b, INT64_MAX);
    parse_good(&b);
    assert_true(parsed.seq == INT64_MAX);
    buffer_clear(&b);
    put_identity(&b, (uint64_t)INT64_MAX + 1);
    struct violation why;
    struct frame_peek peek;
    assert_false(frame_parse(b.data, b.len, &parsed, &why));
    assert_string_equal(why.rule, "seq is not an integer of 63 bits");
    assert_false(frame_peek(b.data, b.len, &peek, &why));
    assert_string_equal(why.rule, "seq is not an integer of 63 bits");
    buffer_fini(&b);
}

static void missing_and_mistyped_fields_are_named(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_header(&b, "#account");
    size_t body = b.len;
    put_map(&b, 0);
    assert_refused(&b, "did is missing", b.len);
    b.len = body;
    put_map(&b, 1);
    put_text_field(&b, "did", DID);
    assert_refused(&b, "seq is missing", b.len);
    b.len = body;
    put_map(&b, 4);
    put_text_field(&b, "did", DID);
    put_seq(&b, 1);
    put_text_field(&b, "time", "now");
    put_text(&b, "active");
    size_t active = b.len;
    put_uint(&b, 1);
    assert_refused(&b, "active is not true or false", active);
    b.len = active;
    put_bool(&b, true);
    parse_good(&b);
    assert_true(parsed.active);
    b.len = body;
    put_map(&b, 1);
    put_text(&b, "did");
    put_null(&b);
    assert_refused(&b, "did is not text", b.len - 1);
    buffer_fini(&b);
}

static void unknown_keys_are_ignored_but_must_be_well_formed(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_header(&b, "#info");
    put_map(&b, 3);
    put_text(&b, "a");
    put_array(&b, 1);
    size_t unknown = b.len;
    put_null(&b);
    put_text_field(&b, "name", "OutdatedCursor");
    put_text_field(&b, "message", "late");
    parse_good(&b);
    assert_slice(parsed.name, "OutdatedCursor");
    assert_slice(parsed.message, "late");
    b.data[unknown] = 0xf7;
    assert_refused(&b, "undefined is not in the data model", unknown);
    buffer_fini(&b);
}

static void bytes_behind_the_body_are_an_error(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_identity(&b, 1);
    size_t end = b.len;
    put_null(&b);
    assert_refused(&b, "bytes behind the body", end);
    buffer_fini(&b);
}

static void the_header_decides_on_the_kind(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t len;
        enum frame_kind kind;
    } cases[] = {
        {"\xa1\x62op\x20", 5, FRAME_ERROR},
        {"\xa2\x61t\x65#info\x62op\x20", 13, FRAME_ERROR},
        {"\xa1\x62op\x02", 5, FRAME_UNKNOWN},
        {"\xa1\x62op\x21", 5, FRAME_UNKNOWN},
        {"\xa2\x61t\x65#info\x62op\x01", 13, FRAME_INFO},
        {"\xa2\x61t\x65#inf0\x62op\x01", 13, FRAME_UNKNOWN},
        {"\xa2\x61t\x67#handle\x62op\x01", 15, FRAME_UNKNOWN},
        {"\xa3\x61t\x65#info\x62op\x01\x63new\x80", 18, FRAME_INFO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame_peek peek;
        struct violation why;
        struct buffer b;
        buffer_init(&b);
        buffer_append(&b, cases[i].header, cases[i].len);
        put_map(&b, 1);
        put_text_field(&b, cases[i].kind == FRAME_ERROR ? "error" : "name", "it");
        assert_true(frame_peek(b.data, b.len, &peek, &why));
        assert_int_equal(peek.kind, cases[i].kind);
        assert_false(peek.has_seq);
        if (cases[i].kind != FRAME_UNKNOWN)
            assert_slice(peek.name, "it");
        parse_good(&b);
        assert_int_equal(parsed.kind, cases[i].kind);
        assert_non_null(frame_kind_name(parsed.kind));
        buffer_fini(&b);
    }
}

static void a_header_without_op_or_t_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *rule;
        size_t offset;
    } cases[] = {
        {"", 0, "ends in the middle of an item", 0},
        {"\x80", 1, "header is not a map", 0},
        {"\xa0\xa0", 2, "header has no op", 1},
        {"\xa1\x62op\x01\xa0", 6, "header has no t", 5},
        {"\xa1\x62op\x61x\xa0", 7, "header: op is not an integer", 4},
        {"\xa2\x61t\x01\x62op\x01\xa0", 9, "header: t is not text", 3},
        {"\xa2\x62op\x01\x61t\x61x\xa0", 10, "map keys are not in order, or not unique", 5},
        {"\xa2\x61t\x65#sync\x62op\x01\x01", 14, "not a map", 13},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b;
        buffer_init(&b);
        buffer_append(&b, cases[i].bytes, cases[i].len);
        uint8_t *exact = exact_copy(b.data, b.len);
        struct violation why;
        struct frame_peek peek;
        assert_false(frame_parse(exact, b.len, &parsed, &why));
        assert_string_equal(why.rule, cases[i].rule);
        assert_int_equal(why.offset, cases[i].offset);
        assert_false(frame_peek(exact, b.len, &peek, &why));
        free(exact);
        buffer_fini(&b);
    }
}

static void time_is_found_by_itself_and_needs_nothing_behind_it(void **state)
{
    (void)state;
    static const char text[] = "2026-01-01T00:00:00Z";
    struct buffer b;
    struct slice time;
    buffer_init(&b);
    put_identity(&b, 7);
    size_t needed = (size_t)((uint8_t *)memmem(b.data, b.len, text, strlen(text)) - b.data) + strlen(text);
    for (size_t len = 0; len <= b.len; len++) {
        uint8_t *cut = exact_copy(b.data, len);
        assert_true(frame_time(cut, len, &time) == (len >= needed));
        if (len >= needed)
            assert_slice(time, text);
        free(cut);
    }
    buffer_clear(&b);
    put_header(&b, "#sync");
    put_map(&b, 1);
    put_seq(&b, 7);
    assert_false(frame_time(b.data, b.len, &time));
    buffer_clear(&b);
    put_header(&b, "#sync");
    put_map(&b, 1);
    put_text(&b, "time");
    put_uint(&b, 7);
    assert_false(frame_time(b.data, b.len, &time));
    buffer_fini(&b);
}

static void peek_tells_the_first_op_and_needs_nothing_behind_repo(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    struct frame_peek peek;
    struct violation why;
    buffer_init(&b);
    make_cid(cid, "x", 1);
    put_commit(&b, 2, cid);
    size_t needed = (size_t)((uint8_t *)memmem(b.data, b.len, DID, strlen(DID)) - b.data) + strlen(DID);
    for (size_t len = 0; len <= b.len; len++) {
        uint8_t *cut = exact_copy(b.data, len);
        assert_true(frame_peek(cut, len, &peek, &why) == (len >= needed));
        if (len >= needed) {
            assert_true(peek.has_seq && peek.seq == 31527015322);
            assert_slice(peek.did, DID);
            assert_slice(peek.action, "create");
            assert_slice(peek.path, "a.b.c/1");
        }
        free(cut);
    }
    buffer_fini(&b);
}

/* The master must be able to route every frame that a worker can parse, even if ops have unknown fields of the greatest
 * depth. */
static void peek_goes_as_deep_as_parsing_does(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    make_cid(cid, "x", 1);
    for (int depth = CBOR_MAX_DEPTH; depth <= CBOR_MAX_DEPTH + 1; depth++)
        for (int deep_op = 0; deep_op < 2; deep_op++) {
            buffer_init(&b);
            put_header(&b, "#commit");
            put_map(&b, 6);
            put_text(&b, "ops");
            put_array(&b, 2);
            for (int i = 0; i < 2; i++) {
                put_map(&b, 3);
                put_text(&b, "x");
                for (int n = i == deep_op ? depth : 1; n > 0; n--)
                    put_array(&b, n > 1 ? 1 : 0);
                put_text_field(&b, "path", "a.b.c/1");
                put_text_field(&b, "action", "delete");
            }
            put_text_field(&b, "rev", "3mptbypluud2a");
            put_seq(&b, 5);
            put_text_field(&b, "repo", DID);
            put_text_field(&b, "time", "2026-01-01T00:00:00Z");
            put_text(&b, "commit");
            put_link(&b, cid);
            struct frame_peek peek;
            struct violation why;
            bool expected = depth <= CBOR_MAX_DEPTH;
            assert_true(frame_parse(b.data, b.len, &parsed, &why) == expected);
            assert_true(frame_peek(b.data, b.len, &peek, &why) == expected);
            buffer_fini(&b);
        }
}

static void a_frame_cut_anywhere_is_refused(void **state)
{
    (void)state;
    uint8_t cid[CID_BYTES];
    struct buffer b;
    buffer_init(&b);
    make_cid(cid, "x", 1);
    put_commit(&b, 2, cid);
    for (size_t len = 0; len < b.len; len++) {
        struct violation why;
        uint8_t *cut = exact_copy(b.data, len);
        assert_false(frame_parse(cut, len, &parsed, &why));
        assert_true(why.offset <= len);
        free(cut);
    }
    buffer_fini(&b);
}

static void unknown_kinds_give_seq_and_did_where_they_have_them(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_header(&b, "#tombstone");
    size_t body = b.len;
    put_map(&b, 2);
    put_text_field(&b, "did", DID);
    put_seq(&b, 7);
    parse_good(&b);
    assert_int_equal(parsed.kind, FRAME_UNKNOWN);
    assert_int_equal(parsed.seq, 7);
    assert_slice(parsed.did, DID);
    b.len = body;
    put_map(&b, 2);
    put_text(&b, "did");
    put_uint(&b, 1);
    put_text_field(&b, "seq", "x");
    parse_good(&b);
    assert_null(parsed.did.ptr);
    b.len = body;
    put_array(&b, 0);
    parse_good(&b);
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_is_parsed_whole),
        cmocka_unit_test(a_commit_has_200_ops_at_most),
        cmocka_unit_test(nothing_of_the_frame_before_is_left_over),
        cmocka_unit_test(seq_has_63_bits),
        cmocka_unit_test(missing_and_mistyped_fields_are_named),
        cmocka_unit_test(unknown_keys_are_ignored_but_must_be_well_formed),
        cmocka_unit_test(bytes_behind_the_body_are_an_error),
        cmocka_unit_test(the_header_decides_on_the_kind),
        cmocka_unit_test(a_header_without_op_or_t_is_refused),
        cmocka_unit_test(time_is_found_by_itself_and_needs_nothing_behind_it),
        cmocka_unit_test(peek_tells_the_first_op_and_needs_nothing_behind_repo),
        cmocka_unit_test(peek_goes_as_deep_as_parsing_does),
        cmocka_unit_test(a_frame_cut_anywhere_is_refused),
        cmocka_unit_test(unknown_kinds_give_seq_and_did_where_they_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
