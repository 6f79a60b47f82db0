/* Frames become the JSON of consumers: in both formats, and with every reason to drop an op. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "atproto/event_json.h"
#include "atproto/record_json.h"
#include "wire.h"

static const char RECORD[] = "\xa1\x65$type\x61x"; /* {"$type": "x"} */
enum { RECORD_BYTES = sizeof RECORD - 1 };

static struct event event; /* 8 kB */

/* One op for put_commit(). */
struct op {
    const char *action;
    const void *block;
    size_t block_len;
    enum { AS_IT_IS, NO_CID, NO_BLOCK, OTHER_BLOCK, RAW_CID } odd;
};

static void cid_of(const struct op *op, uint8_t cid[CID_BYTES])
{
    make_cid(cid, op->block, op->block_len);
    if (op->odd == RAW_CID)
        cid[1] = CID_CODEC_RAW;
}

static void put_ops(struct buffer *b, const struct op *ops, size_t count)
{
    uint8_t cid[CID_BYTES];
    put_text(b, "ops");
    put_array(b, count);
    for (size_t i = 0; i < count; i++) {
        char path[32];
        snprintf(path, sizeof path, "a/%zu", i);
        put_map(b, 4);
        put_text(b, "cid");
        cid_of(&ops[i], cid);
        if (ops[i].odd == NO_CID || ops[i].block == NULL)
            put_null(b);
        else
            put_link(b, cid);
        put_text_field(b, "path", path);
        put_text(b, "prev");
        make_cid(cid, "prev", 4);
        put_link(b, cid);
        put_text_field(b, "action", ops[i].action);
    }
}

static void put_blocks(struct buffer *b, const struct op *ops, size_t count)
{
    struct buffer car;
    uint8_t cid[CID_BYTES];
    buffer_init(&car);
    make_cid(cid, "", 0);
    put_car_header(&car, cid);
    for (size_t i = 0; i < count; i++) {
        cid_of(&ops[i], cid);
        if (ops[i].block != NULL && ops[i].odd == OTHER_BLOCK)
            put_car_block(&car, cid, "other", 5);
        else if (ops[i].block != NULL && ops[i].odd != NO_BLOCK)
            put_car_block(&car, cid, ops[i].block, ops[i].block_len);
    }
    put_text(b, "blocks");
    put_bytes(b, car.data, car.len);
    buffer_fini(&car);
}

static void put_commit(struct buffer *b, const struct op *ops, size_t count)
{
    uint8_t cid[CID_BYTES];
    put_header(b, "#commit");
    put_map(b, 9);
    put_ops(b, ops, count);
    put_text_field(b, "rev", "r1");
    put_text(b, "seq");
    put_uint(b, 9);
    put_text_field(b, "repo", "did:plc:a");
    put_text_field(b, "time", "now");
    put_text_field(b, "since", "r0");
    put_blocks(b, ops, count);
    put_text(b, "commit");
    make_cid(cid, "", 0);
    put_link(b, cid);
    put_text(b, "prevData");
    put_link(b, cid);
}

static enum event_outcome encode(const struct buffer *frame, enum event_format format, struct buffer *out)
{
    struct event_encoder *e = event_encoder_new(format);
    assert_non_null(e);
    uint8_t *exact = exact_copy(frame->data, frame->len);
    enum event_outcome outcome = event_encode(e, exact, frame->len, out, &event);
    event_encoder_free(e);
    free(exact); /* the slices of `event` are invalid from here on */
    buffer_append_byte(out, '\0');
    return outcome;
}

static void assert_event(const struct buffer *frame, enum event_format format, const char *expected)
{
    struct buffer out;
    buffer_init(&out);
    assert_int_equal(encode(frame, format, &out), EVENT_READY);
    assert_string_equal((char *)out.data, expected);
    buffer_fini(&out);
}

static void assert_outcome(const struct buffer *frame, enum event_format format, enum event_outcome expected)
{
    struct buffer out;
    buffer_init(&out);
    buffer_append_literal(&out, "kept");
    assert_int_equal(encode(frame, format, &out), expected);
    assert_string_equal((char *)out.data, "kept");
    buffer_fini(&out);
}

static void text_of(const void *block, size_t len, char text[CID_TEXT_BYTES + 1])
{
    uint8_t cid[CID_BYTES];
    make_cid(cid, block, len);
    cid_to_text(cid, text);
    text[CID_TEXT_BYTES] = '\0';
}

static void a_commit_in_the_form_that_consumers_read(void **state)
{
    (void)state;
    static const struct op ops[] = {{"create", RECORD, RECORD_BYTES, AS_IT_IS},
                                    {"delete", NULL, 0, AS_IT_IS},
                                    {"update", RECORD, RECORD_BYTES, AS_IT_IS}};
    char cid[CID_TEXT_BYTES + 1], expected[1024];
    struct buffer frame;
    buffer_init(&frame);
    put_commit(&frame, ops, 3);
    text_of(RECORD, RECORD_BYTES, cid);
    snprintf(expected, sizeof expected,
             "{\"repo\":\"did:plc:a\",\"ops\":["
             "{\"action\":\"create\",\"path\":\"a/0\",\"cid\":\"%s\",\"record\":{\"$type\":\"x\"}},"
             "{\"action\":\"delete\",\"path\":\"a/1\"},"
             "{\"action\":\"update\",\"path\":\"a/2\",\"cid\":\"%s\",\"record\":{\"$type\":\"x\"}}]}",
             cid, cid);
    assert_event(&frame, EVENT_FORMAT_COMPAT, expected);
    assert_false(event.has_drop);
    buffer_fini(&frame);
}

static void the_extended_form_has_more_behind_the_same_names(void **state)
{
    (void)state;
    static const struct op ops[] = {{"update", RECORD, RECORD_BYTES, AS_IT_IS},
                                    {"delete", NULL, 0, AS_IT_IS}};
    char cid[CID_TEXT_BYTES + 1], prev[CID_TEXT_BYTES + 1], empty[CID_TEXT_BYTES + 1], expected[1024];
    struct buffer frame;
    buffer_init(&frame);
    put_commit(&frame, ops, 2);
    text_of(RECORD, RECORD_BYTES, cid);
    text_of("prev", 4, prev);
    text_of("", 0, empty);
    snprintf(expected, sizeof expected,
             "{\"repo\":\"did:plc:a\",\"rev\":\"r1\",\"since\":\"r0\",\"time\":\"now\",\"commit\":\"%s\","
             "\"prevData\":\"%s\",\"ops\":["
             "{\"action\":\"update\",\"path\":\"a/"
             "0\",\"cid\":\"%s\",\"prev\":\"%s\",\"record\":{\"$type\":\"x\"}},"
             "{\"action\":\"delete\",\"path\":\"a/1\",\"prev\":\"%s\"}]}",
             empty, empty, cid, prev, prev);
    assert_event(&frame, EVENT_FORMAT_EXTENDED, expected);
    buffer_fini(&frame);
}

/* Asserts that the op in the middle is dropped for `reason`, and the ops around it are delivered. */
static void assert_dropped(struct op bad, enum op_drop reason, const char *rule)
{
    const struct op good = {"create", RECORD, RECORD_BYTES, AS_IT_IS};
    const struct op ops[] = {good, bad, {"delete", NULL, 0, AS_IT_IS}};
    struct buffer frame, out;
    buffer_init(&frame);
    buffer_init(&out);
    put_commit(&frame, ops, 3);
    assert_int_equal(encode(&frame, EVENT_FORMAT_COMPAT, &out), EVENT_READY);
    assert_non_null(strstr((char *)out.data, "\"path\":\"a/0\""));
    assert_null(strstr((char *)out.data, "\"path\":\"a/1\""));
    assert_non_null(strstr((char *)out.data, "}},{\"action\":\"delete\",\"path\":\"a/2\"}]}"));
    for (int i = 0; i < OP_DROPS; i++)
        assert_int_equal(event.dropped[i], i == (int)reason);
    assert_true(event.has_drop);
    assert_int_equal(event.first_drop, reason);
    assert_int_equal(event.first_drop_op, 1);
    assert_string_equal(event.first_drop_why.rule, rule);
    assert_true(event.first_drop_why.offset < frame.len);
    buffer_fini(&frame);
    buffer_fini(&out);
}

#define OP(block)                                                                                            \
    {                                                                                                        \
        "create", block, sizeof(block) - 1, AS_IT_IS                                                         \
    }

static void every_reason_to_leave_an_op_out(void **state)
{
    (void)state;
    static const char other[] = "\xa1\x65$type\x61y";
    assert_dropped((struct op){"create", other, RECORD_BYTES, NO_CID}, OP_DROP_NO_CID, "op has no cid");
    assert_dropped((struct op){"update", other, RECORD_BYTES, NO_BLOCK}, OP_DROP_NO_BLOCK,
                   "the block of the op's cid is not there");
    assert_dropped((struct op){"create", other, RECORD_BYTES, OTHER_BLOCK}, OP_DROP_HASH_MISMATCH,
                   "SHA-256 of the block is not its CID");
    assert_dropped((struct op){"create", other, RECORD_BYTES, RAW_CID}, OP_DROP_BAD_RECORD,
                   "the op's cid is not one of DAG-CBOR");
    assert_dropped((struct op)OP("\xa0"), OP_DROP_NO_TYPE, "record has no $type");
    assert_dropped((struct op)OP("\xa1\x65$type\x60"), OP_DROP_NO_TYPE, "record has no $type");
    assert_dropped((struct op)OP("\xa1\x65$type\x01"), OP_DROP_NO_TYPE, "record has no $type");
    assert_dropped((struct op)OP("\xa1\x61x\xa1\x65$type\x61x"), OP_DROP_NO_TYPE, "record has no $type");
    assert_dropped((struct op)OP("\x81\xa1\x65$type\x61x"), OP_DROP_BAD_RECORD, "record is not a map");
    assert_dropped((struct op)OP(""), OP_DROP_BAD_RECORD, "ends in the middle of an item");
    assert_dropped((struct op)OP("\xa1\x65$type\x61x\x00"), OP_DROP_BAD_RECORD, "bytes behind the record");
    assert_dropped((struct op)OP("\xa2\x61z\xf9\0\0\x65$type\x61x"), OP_DROP_BAD_RECORD,
                   "floats are not in the data model");
    assert_dropped((struct op)OP("\xa2\x61z\x61\xff\x65$type\x61x"), OP_DROP_BAD_RECORD,
                   "text is not valid UTF-8");
    assert_dropped((struct op)OP("\xa2\x65$type\x61x\x61z\x01"), OP_DROP_BAD_RECORD,
                   "map keys are not in order, or not unique");
    for (int i = 0; i < OP_DROPS; i++)
        assert_non_null(op_drop_name((enum op_drop)i));
}

static void the_place_of_a_bad_value_is_told_from_the_start_of_the_frame(void **state)
{
    (void)state;
    static const char bad[] = "\xa2\x61z\xf7\x65$type\x61x";
    static const struct op ops[] = {{"create", bad, sizeof bad - 1, AS_IT_IS}};
    struct buffer frame, out;
    buffer_init(&frame);
    buffer_init(&out);
    put_commit(&frame, ops, 1);
    const uint8_t *record = memmem(frame.data, frame.len, bad, sizeof bad - 1);
    assert_int_equal(encode(&frame, EVENT_FORMAT_COMPAT, &out), EVENT_READY);
    assert_string_equal((char *)out.data, "{\"repo\":\"did:plc:a\",\"ops\":[]}");
    assert_int_equal(event.first_drop_why.offset, record + 3 - frame.data);
    buffer_fini(&frame);
    buffer_fini(&out);
}

static void a_broken_car_refuses_the_frame(void **state)
{
    (void)state;
    static const struct op ops[] = {{"delete", NULL, 0, AS_IT_IS}};
    struct buffer frame;
    buffer_init(&frame);
    put_commit(&frame, ops, 1);
    uint8_t *version = memmem(frame.data, frame.len, "version\x01", 8);
    version[7] = 2;
    assert_outcome(&frame, EVENT_FORMAT_COMPAT, EVENT_REFUSED);
    assert_string_equal(event.violation.rule, "CAR version is not 1");
    assert_int_equal(event.violation.offset, version + 8 - frame.data);
    buffer_fini(&frame);
}

static void put_small(struct buffer *b, const char *t, const char *key, const char *value)
{
    put_header(b, t);
    put_map(b, 5);
    put_text_field(b, "did", "did:plc:a");
    if (strcmp(t, "#sync") == 0)
        put_text_field(b, "rev", "r1");
    put_text(b, "seq");
    put_uint(b, 9);
    put_text_field(b, "time", "now");
    if (strcmp(t, "#sync") != 0) {
        put_text(b, "active");
        put_bool(b, false);
    }
    put_text_field(b, key, value);
}

/* Other kinds than commits have texts of any length, too. */
static void every_kind_is_refused_if_it_is_too_large(void **state)
{
    (void)state;
    static const char *const kinds[] = {"#identity", "#account", "#commit"};
    struct event_encoder *e = event_encoder_new(EVENT_FORMAT_EXTENDED);
    struct buffer frame, out;
    buffer_init(&frame);
    buffer_init(&out);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        buffer_clear(&frame);
        if (i < 2)
            put_small(&frame, kinds[i], "handle", "a.example");
        else
            put_commit(&frame, NULL, 0);
        event_encoder_set_limits(e, EVENT_USUAL_LIMITS);
        assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_READY);
        event_encoder_set_limits(e, (struct event_limits){.max_bytes = out.len - 1, .max_growth = 8});
        buffer_clear(&out);
        assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_REFUSED);
        assert_string_equal(event.violation.rule, "event is larger than event_max_size as JSON");
        assert_int_equal(out.len, 0);
    }
    buffer_fini(&frame);
    buffer_fini(&out);
    event_encoder_free(e);
}

static bool memory_is_short;

void *__real_reallocarray(void *old, size_t count, size_t bytes);
void *__wrap_reallocarray(void *old, size_t count, size_t bytes);

void *__wrap_reallocarray(void *old, size_t count, size_t bytes)
{
    return memory_is_short ? NULL : __real_reallocarray(old, count, bytes);
}

static void a_good_commit_is_not_refused_where_memory_is_short(void **state)
{
    (void)state;
    static const struct op op = {"create", RECORD, RECORD_BYTES, AS_IT_IS};
    struct buffer frame, out;
    buffer_init(&frame);
    buffer_init(&out);
    put_commit(&frame, &op, 1);
    memory_is_short = true;
    encode(&frame, EVENT_FORMAT_COMPAT, &out);
    memory_is_short = false;
    assert_true(out.failed); /* so the frame is tried again, and does not go to the dead letters */
    assert_int_equal(out.len, 0);
    out.failed = false;
    assert_int_equal(encode(&frame, EVENT_FORMAT_COMPAT, &out), EVENT_READY);
    buffer_fini(&frame);
    buffer_fini(&out);
}

static void identity_account_and_sync_in_both_forms(void **state)
{
    (void)state;
    struct buffer frame;
    buffer_init(&frame);
    put_small(&frame, "#identity", "handle", "a.example");
    assert_event(&frame, EVENT_FORMAT_COMPAT, "{\"did\":\"did:plc:a\",\"handle\":\"a.example\"}");
    assert_event(&frame, EVENT_FORMAT_EXTENDED,
                 "{\"did\":\"did:plc:a\",\"handle\":\"a.example\",\"time\":\"now\"}");
    buffer_clear(&frame);
    put_small(&frame, "#identity", "nohand", "");
    assert_event(&frame, EVENT_FORMAT_COMPAT, "{\"did\":\"did:plc:a\",\"handle\":\"did:plc:a\"}");
    buffer_clear(&frame);
    put_small(&frame, "#account", "status", "takendown");
    assert_event(&frame, EVENT_FORMAT_COMPAT, "{\"did\":\"did:plc:a\",\"active\":false}");
    assert_event(&frame, EVENT_FORMAT_EXTENDED,
                 "{\"did\":\"did:plc:a\",\"active\":false,\"status\":\"takendown\",\"time\":\"now\"}");
    buffer_clear(&frame);
    put_small(&frame, "#sync", "unknown", "x");
    assert_outcome(&frame, EVENT_FORMAT_COMPAT, EVENT_FILTERED);
    assert_int_equal(event.frame.kind, FRAME_SYNC);
    assert_event(&frame, EVENT_FORMAT_EXTENDED, "{\"did\":\"did:plc:a\",\"rev\":\"r1\",\"time\":\"now\"}");
    buffer_clear(&frame);
    put_small(&frame, "#tombstone", "x", "y");
    assert_outcome(&frame, EVENT_FORMAT_EXTENDED, EVENT_REFUSED); /* for every kind the keys must be in order */
    buffer_fini(&frame);
}

static void assert_record(const void *item, size_t len, const char *expected)
{
    struct cbor_reader r;
    struct buffer out;
    buffer_init(&out);
    cbor_reader_init(&r, item, len);
    assert_true(record_append_json(&r, &out, NULL));
    assert_ptr_equal(r.at, r.end);
    buffer_append_byte(&out, '\0');
    assert_string_equal((char *)out.data, expected);
    buffer_fini(&out);
}

#define assert_record_literal(literal, expected) assert_record(literal, sizeof(literal) - 1, expected)

static void records_become_the_json_of_the_data_model(void **state)
{
    (void)state;
    assert_record_literal("\xa0", "{}");
    assert_record_literal("\x80", "[]");
    assert_record_literal("\x83\xa0\x80\x60", "[{},[],\"\"]");
    assert_record_literal("\xa2\x61x\x82\x01\xa1\x60\xf6\x62yy\xf5", "{\"x\":[1,{\"\":null}],\"yy\":true}");
    assert_record_literal("\x1b\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
    assert_record_literal("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", "-9223372036854775808");
    assert_record_literal("\x20", "-1");
    assert_record_literal("\x82\x40\x42\xfb\xff", "[{\"$bytes\":\"\"},{\"$bytes\":\"+/8\"}]");
    assert_record_literal("\x65\x00\x1f\"\\\n", "\"\\u0000\\u001f\\\"\\\\\\n\"");
}

static void a_record_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    enum { DEEP = 4394 };
    uint8_t item[DEEP];
    struct cbor_reader r;
    struct buffer out;
    bool has_type = true;
    buffer_init(&out);
    buffer_append_literal(&out, "kept");
    memset(item, 0x81, sizeof item);
    cbor_reader_init(&r, item, sizeof item);
    assert_false(record_append_json(&r, &out, &has_type));
    assert_string_equal(r.violation.rule, CBOR_RULE_TOO_DEEP);
    assert_int_equal(r.violation.offset, CBOR_MAX_DEPTH);
    assert_int_equal(out.len, 4);
    assert_false(has_type);
    buffer_fini(&out);
}

static void an_encoder_serves_many_frames_and_changes_its_form(void **state)
{
    (void)state;
    struct event_encoder *e = event_encoder_new(EVENT_FORMAT_COMPAT);
    struct buffer frame, out;
    buffer_init(&frame);
    buffer_init(&out);
    put_small(&frame, "#sync", "unknown", "x");
    assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_FILTERED);
    event_encoder_set_format(e, EVENT_FORMAT_EXTENDED);
    assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_READY);
    out.failed = true; /* as after a failed allocation */
    size_t len = out.len;
    assert_int_equal(event_encode(e, frame.data, frame.len, &out, &event), EVENT_REFUSED);
    assert_string_equal(event.violation.rule, "out of memory");
    assert_int_equal(out.len, len);
    buffer_fini(&frame);
    buffer_fini(&out);
    event_encoder_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_in_the_form_that_consumers_read),
        cmocka_unit_test(the_extended_form_has_more_behind_the_same_names),
        cmocka_unit_test(every_reason_to_leave_an_op_out),
        cmocka_unit_test(the_place_of_a_bad_value_is_told_from_the_start_of_the_frame),
        cmocka_unit_test(a_broken_car_refuses_the_frame),
        cmocka_unit_test(every_kind_is_refused_if_it_is_too_large),
        cmocka_unit_test(a_good_commit_is_not_refused_where_memory_is_short),
        cmocka_unit_test(identity_account_and_sync_in_both_forms),
        cmocka_unit_test(records_become_the_json_of_the_data_model),
        cmocka_unit_test(a_record_that_fails_leaves_nothing_behind),
        cmocka_unit_test(an_encoder_serves_many_frames_and_changes_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
