/* A refusal names the broken rule and the offset of the byte that breaks it. This file has the rules of frames, for
 * each field of each kind; the tests of tokens, CARs and records have the others. scripts/check-rules checks that each
 * rule has a test. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "atproto/event_json.h"
#include "atproto/frame.h"
#include "wire.h"

enum type { TEXT, SEQ, LINK, BOOLEAN, BLOCKS, OPS, ACTION };

struct field {
    const char *key;
    enum type type;
    bool is_required;
};

static const struct {
    const char *t;
    struct field fields[12];
} kinds[] = {
    {"#commit",
     {{"ops", OPS, true},
      {"rev", TEXT, true},
      {"seq", SEQ, true},
      {"repo", TEXT, true},
      {"time", TEXT, true},
      {"since", TEXT, false},
      {"blocks", BLOCKS, false},
      {"commit", LINK, true},
      {"tooBig", BOOLEAN, false},
      {"prevData", LINK, false}}},
    {"#sync",
     {{"did", TEXT, true},
      {"rev", TEXT, true},
      {"seq", SEQ, true},
      {"time", TEXT, true},
      {"blocks", BLOCKS, false}}},
    {"#identity", {{"did", TEXT, true}, {"seq", SEQ, true}, {"time", TEXT, true}, {"handle", TEXT, false}}},
    {"#account",
     {{"did", TEXT, true},
      {"seq", SEQ, true},
      {"time", TEXT, true},
      {"active", BOOLEAN, true},
      {"status", TEXT, false}}},
    {"#info", {{"name", TEXT, true}, {"message", TEXT, false}}},
    {NULL, {{"error", TEXT, true}, {"message", TEXT, false}}}, /* an error frame has op -1 and no t */
};
static const struct field op_fields[] = {{"cid", LINK, false},
                                         {"path", TEXT, true},
                                         {"prev", LINK, false},
                                         {"action", ACTION, true},
                                         {NULL, TEXT, false}};

static const char *const expected[] = {[TEXT] = "text",    [SEQ] = "an integer of 63 bits",
                                       [LINK] = "a CID",   [BOOLEAN] = "true or false",
                                       [BLOCKS] = "bytes", [OPS] = "an array",
                                       [ACTION] = "text"};

static struct frame parsed;
static uint8_t cid[CID_BYTES];

static void put_value(struct buffer *b, enum type type)
{
    switch (type) {
    case TEXT:
        put_text(b, "x");
        break;
    case SEQ:
        put_uint(b, 5);
        break;
    case LINK:
        put_link(b, cid);
        break;
    case BOOLEAN:
        put_bool(b, true);
        break;
    case BLOCKS:
        put_bytes(b, "", 0);
        break;
    case OPS:
        put_array(b, 0);
        break;
    case ACTION:
        put_text(b, "delete");
        break;
    }
}

static size_t count(const struct field *fields)
{
    size_t n = 0;
    while (fields[n].key != NULL)
        n++;
    return n;
}

enum change { NOTHING, LEFT_OUT, OF_ANOTHER_TYPE, NULL_INSTEAD };

/* Appends a map of all fields, with field `which` changed. Returns the offset of that field's value. */
static size_t put_fields(struct buffer *b, const struct field *fields, size_t which, enum change change)
{
    size_t n = count(fields), at = 0;
    put_map(b, n - (change == LEFT_OUT));
    for (size_t i = 0; i < n; i++) {
        if (i == which && change == LEFT_OUT)
            continue;
        put_text(b, fields[i].key);
        if (i == which)
            at = b->len;
        if (i == which && change == OF_ANOTHER_TYPE)
            put_map(b, 0);
        else if (i == which && change == NULL_INSTEAD)
            put_null(b);
        else
            put_value(b, fields[i].type);
    }
    return change == LEFT_OUT ? b->len : at;
}

static void put_head_of(struct buffer *b, const char *t)
{
    if (t != NULL) {
        put_header(b, t);
        return;
    }
    put_map(b, 1);
    put_text(b, "op");
    put_head(b, MAJOR_NEGATIVE, 0);
}

static void assert_verdict(const struct buffer *b, const char *rule, size_t offset)
{
    struct violation why = {0};
    uint8_t *exact = exact_copy(b->data, b->len);
    bool ok = frame_parse(exact, b->len, &parsed, &why);
    free(exact);
    if (rule == NULL && ok)
        return;
    if (rule == NULL)
        fail_msg("refused: %s at %zu", why.rule, why.offset);
    if (ok)
        fail_msg("not refused, expected: %s", rule);
    assert_string_equal(why.rule, rule);
    assert_int_equal(why.offset, offset);
}

/* One change of one field, and the expected result. */
static void check_change(const char *t, const struct field *fields, size_t i, enum change change, bool in_op)
{
    struct buffer b;
    char rule[80];
    buffer_init(&b);
    put_head_of(&b, t);
    if (in_op) { /* ops is the first field of the body, so the parser reads nothing behind it */
        put_map(&b, 1);
        put_text(&b, "ops");
        put_array(&b, 1);
    }
    size_t at = put_fields(&b, fields, i, change);
    bool is_refused = change != NOTHING && (fields[i].is_required || change == OF_ANOTHER_TYPE);
    snprintf(rule, sizeof rule, change == LEFT_OUT ? "%s is missing" : "%s is not %s", fields[i].key,
             expected[fields[i].type]);
    if (is_refused)
        assert_verdict(&b, rule, at);
    else if (!in_op)
        assert_verdict(&b, NULL, 0);
    buffer_fini(&b);
}

static void every_field_is_asked_for_by_name_and_type(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < count(kinds[k].fields); i++)
            for (enum change change = NOTHING; change <= NULL_INSTEAD; change++)
                check_change(kinds[k].t, kinds[k].fields, i, change, false);
}

static void every_field_of_an_op_is_asked_for_by_name_and_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < count(op_fields); i++)
        for (enum change change = LEFT_OUT; change <= NULL_INSTEAD; change++)
            check_change("#commit", op_fields, i, change, true);
}

static void an_action_that_is_not_known_is_refused(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_header(&b, "#commit");
    put_map(&b, 1);
    put_text(&b, "ops");
    put_array(&b, 1);
    put_map(&b, 2);
    put_text_field(&b, "path", "a");
    put_text(&b, "action");
    put_text(&b, "explode");
    /* The offset is behind the wrong text, because its type is right. */
    assert_verdict(&b, "action is not create, update or delete", b.len);
    buffer_fini(&b);
}

/* The master keeps nothing of a text beyond its limit: the peek shows an empty one, with the seq. */
static void test_texts_are_as_long_as_the_lexicon_allows(void **state)
{
    (void)state;
    static const struct {
        const char *t, *key, *rule;
        size_t max;
    } cases[] = {
        {"#commit", "repo", "DID is longer than allowed", FRAME_MAX_DID},
        {"#sync", "did", "DID is longer than allowed", FRAME_MAX_DID},
        {"#identity", "handle", "handle is longer than allowed", FRAME_MAX_HANDLE},
        {"#account", "did", "DID is longer than allowed", FRAME_MAX_DID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t more = 0; more < 2; more++) {
            struct buffer b;
            struct frame f;
            struct frame_peek peek;
            struct violation why = {0};
            char *text = calloc(1, cases[i].max + 2);
            assert_non_null(text);
            memset(text, 'a', cases[i].max + more);
            buffer_init(&b);
            put_header(&b, cases[i].t);
            put_map(&b, 2);
            put_text_field(&b, cases[i].key, text);
            put_text(&b, "seq");
            buffer_append_byte(&b, 7);
            assert_false(frame_parse(b.data, b.len, &f, &why)); /* other fields are missing */
            assert_int_equal(strcmp(why.rule, cases[i].rule) == 0, more);
            if (strcmp(cases[i].key, "handle") != 0) {
                assert_true(frame_peek(b.data, b.len, &peek, &why));
                assert_int_equal(peek.seq, 7);
                assert_int_equal(peek.did.len, more ? 0 : cases[i].max);
            }
            free(text);
            buffer_fini(&b);
        }
}

static void test_a_path_has_a_collection_and_a_key_of_limited_length(void **state)
{
    (void)state;
    static const struct {
        size_t collection, key;
        bool fits;
    } cases[] = {
        {3, 3, true}, {FRAME_MAX_COLLECTION, FRAME_MAX_RECORD_KEY, true}, {FRAME_MAX_COLLECTION + 1, 3, false},
        {3, FRAME_MAX_RECORD_KEY + 1, false}, {3, 100000, false}, {100000, 3, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b;
        struct frame f;
        struct frame_peek peek;
        struct violation why = {0};
        size_t len = cases[i].collection + 1 + cases[i].key;
        char *path = calloc(1, len + 1);
        assert_non_null(path);
        memset(path, 'a', len);
        path[cases[i].collection] = '/';
        buffer_init(&b);
        put_header(&b, "#commit");
        put_map(&b, 3);
        put_text(&b, "ops");
        buffer_append_byte(&b, 0x81);
        put_map(&b, 2);
        put_text_field(&b, "path", path);
        put_text_field(&b, "action", "delete");
        put_text(&b, "seq");
        buffer_append_byte(&b, 7);
        put_text_field(&b, "repo", "did:plc:x");
        assert_true(frame_peek(b.data, b.len, &peek, &why));
        assert_int_equal(peek.seq, 7);
        assert_int_equal(peek.did.len, strlen("did:plc:x"));
        assert_int_equal(peek.path.len, cases[i].fits ? len : 0);
        assert_false(frame_parse(b.data, b.len, &f, &why)); /* other fields are missing */
        assert_int_equal(strcmp(why.rule, "path is longer than allowed") == 0, !cases[i].fits);
        free(path);
        buffer_fini(&b);
    }
}

static void blocks_have_a_limit_of_their_kind(void **state)
{
    (void)state;
    static const struct {
        const char *t;
        size_t max;
    } cases[] = {{"#commit", FRAME_MAX_COMMIT_BLOCKS}, {"#sync", FRAME_MAX_SYNC_BLOCKS}};
    uint8_t *blocks = calloc(1, FRAME_MAX_COMMIT_BLOCKS + 1);
    assert_non_null(blocks);
    for (size_t i = 0; i < 2; i++)
        for (size_t more = 0; more < 2; more++) {
            struct buffer b;
            buffer_init(&b);
            put_header(&b, cases[i].t);
            put_map(&b, 1);
            put_text(&b, "blocks");
            put_bytes(&b, blocks, cases[i].max + more);
            assert_verdict(&b,
                           more     ? "blocks are larger than allowed"
                           : i == 0 ? "ops is missing"
                                    : "did is missing",
                           b.len);
            buffer_fini(&b);
        }
    free(blocks);
}

static void nesting_is_refused_where_it_gets_too_deep(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_header(&b, "#identity");
    put_map(&b, 1);
    put_text(&b, "x");
    size_t at = b.len;
    for (int i = 0; i < CBOR_MAX_DEPTH; i++)
        put_array(&b, 1);
    put_array(&b, 0);
    assert_verdict(&b, CBOR_RULE_TOO_DEEP, at + CBOR_MAX_DEPTH);
    buffer_fini(&b);
}

static void assert_peek_refused(const struct buffer *b, const char *rule, size_t offset)
{
    struct frame_peek peek;
    struct violation why;
    assert_false(frame_peek(b->data, b->len, &peek, &why));
    assert_string_equal(why.rule, rule);
    assert_int_equal(why.offset, offset);
}

static void peek_says_what_it_stumbled_on(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b);
    put_header(&b, "#identity");
    size_t body = b.len;
    put_array(&b, 0);
    assert_peek_refused(&b, "body is not a map", body);

    b.len = body;
    put_map(&b, 1);
    put_text(&b, "seq");
    put_uint(&b, 1);
    assert_peek_refused(&b, "body has no DID", b.len);

    b.len = body;
    put_map(&b, 1);
    put_text_field(&b, "did", "d");
    assert_peek_refused(&b, "body has no seq", b.len);

    buffer_clear(&b);
    put_header(&b, "#commit");
    put_map(&b, 1);
    put_text(&b, "ops");
    size_t ops = b.len;
    put_uint(&b, 1);
    assert_peek_refused(&b, "ops is not an array", ops);

    b.len = ops;
    put_array(&b, 1);
    size_t op = b.len;
    put_uint(&b, 1);
    assert_peek_refused(&b, "op is not a map", op);
    buffer_fini(&b);
}

/* 200 ops may name the same block. */
static void event_that_grows_too_large_is_refused_at_the_op(void **state)
{
    (void)state;
    enum { OPS_ = 200, TEXT_BYTES = 100000 };
    static struct event event;
    struct buffer record, car, frame, out;
    char *text = malloc(TEXT_BYTES + 1);
    assert_non_null(text);
    memset(text, 'x', TEXT_BYTES);
    text[TEXT_BYTES] = '\0';
    buffer_init(&record);
    put_map(&record, 2);
    put_text_field(&record, "text", text);
    put_text_field(&record, "$type", "a.b.c");
    make_cid(cid, record.data, record.len);
    buffer_init(&car);
    put_car_header(&car, cid);
    put_car_block(&car, cid, record.data, record.len);
    buffer_init(&frame);
    put_header(&frame, "#commit");
    put_map(&frame, 7);
    put_text(&frame, "ops");
    put_array(&frame, OPS_);
    size_t paths[OPS_];
    for (int i = 0; i < OPS_; i++) {
        put_map(&frame, 3);
        put_text(&frame, "cid");
        put_link(&frame, cid);
        put_text(&frame, "path");
        paths[i] = frame.len + 1;
        put_text(&frame, "a.b.c/1");
        put_text_field(&frame, "action", "create");
    }
    put_text_field(&frame, "rev", "r");
    put_text(&frame, "seq");
    put_uint(&frame, 1);
    put_text_field(&frame, "repo", "d");
    put_text_field(&frame, "time", "t");
    put_text(&frame, "blocks");
    put_bytes(&frame, car.data, car.len);
    put_text(&frame, "commit");
    put_link(&frame, cid);

    struct event_encoder *e = event_encoder_new(EVENT_FORMAT_COMPAT);
    buffer_init(&out);
    event_encoder_set_limits(e, (struct event_limits){.max_bytes = 4 << 20, .max_growth = OPS_});
    assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_REFUSED);
    assert_string_equal(event.violation.rule, "event is larger than event_max_size as JSON");
    assert_int_equal(event.violation.offset, paths[(4 << 20) / TEXT_BYTES]);
    assert_int_equal(out.len, 0);
    event_encoder_set_limits(e, (struct event_limits){.max_bytes = SIZE_MAX, .max_growth = 4});
    assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_REFUSED);
    assert_string_equal(event.violation.rule, "event grows more than event_max_growth as JSON");
    assert_int_equal(event.violation.offset, paths[(4 * frame.len + EVENT_FREE_GROWTH) / TEXT_BYTES]);
    assert_int_equal(out.len, 0);
    event_encoder_set_limits(e, (struct event_limits){.max_bytes = SIZE_MAX, .max_growth = OPS_});
    assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_READY);
    event_encoder_free(e);
    buffer_fini(&record);
    buffer_fini(&car);
    buffer_fini(&frame);
    buffer_fini(&out);
    free(text);
}

int main(void)
{
    make_cid(cid, "x", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_asked_for_by_name_and_type),
        cmocka_unit_test(every_field_of_an_op_is_asked_for_by_name_and_type),
        cmocka_unit_test(an_action_that_is_not_known_is_refused),
        cmocka_unit_test(test_texts_are_as_long_as_the_lexicon_allows),
        cmocka_unit_test(test_a_path_has_a_collection_and_a_key_of_limited_length),
        cmocka_unit_test(blocks_have_a_limit_of_their_kind),
        cmocka_unit_test(nesting_is_refused_where_it_gets_too_deep),
        cmocka_unit_test(peek_says_what_it_stumbled_on),
        cmocka_unit_test(event_that_grows_too_large_is_refused_at_the_op),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
