/* A cursor finds the right position, even if frames without a seq lie in between. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cbor_write.h"
#include "sequence.h"

/* Makes a capture: "+" is a frame with a seq, "_" a gap in the numbers, "i" a frame without a seq, "x" garbage. */
static struct capture capture_of(const char *plan, uint64_t first_seq)
{
    struct buffer b, frame;
    struct capture c;
    struct error why;
    buffer_init(&b);
    buffer_init(&frame);
    for (; *plan != '\0'; plan++) {
        if (*plan == '_') {
            first_seq++;
            continue;
        }
        buffer_clear(&frame);
        cbor_write_map(&frame, 2);
        cbor_pair_text(&frame, "t", *plan == '+' ? "#identity" : "#info");
        cbor_pair_int(&frame, "op", 1);
        cbor_write_map(&frame, *plan == '+' ? 2 : 1);
        cbor_pair_text(&frame, "did", "did:plc:x");
        if (*plan == '+')
            cbor_pair_int(&frame, "seq", (int64_t)first_seq++);
        if (*plan == 'x')
            frame.data[0] = 0xff;
        capture_append(&b, frame.data, frame.len);
    }
    buffer_fini(&frame);
    assert_true(capture_adopt(&c, &b, &why));
    return c;
}

static struct sequence sequence_of(const struct capture *c, struct sequence_options options)
{
    struct sequence s;
    struct error why;
    assert_true(sequence_init(&s, c, &options, &why));
    return s;
}

static void numbers_begin_with_the_capture_or_where_they_are_told(void **state)
{
    (void)state;
    struct capture c = capture_of("i++", 500);
    struct sequence s = sequence_of(&c, (struct sequence_options){0});
    assert_int_equal(sequence_seq_at(&s, 1), 500);
    assert_int_equal(sequence_seq_at(&s, 2), 501);
    assert_int_equal(s.end, 3);
    sequence_fini(&s);
    s = sequence_of(&c, (struct sequence_options){.first_seq = optional_of(7)});
    assert_int_equal(sequence_seq_at(&s, 2), 8);
    sequence_fini(&s);
    capture_close(&c);
}

static void a_number_finds_its_position_in_any_round(void **state)
{
    (void)state;
    struct capture c = capture_of("+i+x+", 100);
    struct sequence s = sequence_of(&c, (struct sequence_options){.is_repeated = true});
    assert_int_equal(s.end, SEQUENCE_ENDLESS);
    assert_int_equal(sequence_position(&s, 0), 0);
    for (uint64_t seq = 101; seq < 2000; seq++) {
        uint64_t position = sequence_position(&s, seq);
        assert_int_equal(sequence_seq_at(&s, position), seq);
        assert_true(position % 5 == 0 || position % 5 == 2 || position % 5 == 4);
    }
    sequence_fini(&s);
    capture_close(&c);
}

static void gaps_stay_and_a_number_in_one_finds_the_next_event(void **state)
{
    (void)state;
    struct capture c = capture_of("+i+___+i", 100); /* 100, 101, 105; 106, 107, 111 */
    struct sequence s = sequence_of(&c, (struct sequence_options){.is_repeated = true});
    assert_int_equal(sequence_seq_at(&s, 3), 105);
    assert_int_equal(sequence_seq_at(&s, 4), 106);
    assert_int_equal(sequence_seq_at(&s, 5), 106);
    assert_int_equal(sequence_seq_at(&s, 8), 111);
    assert_int_equal(sequence_position(&s, 101), 2);
    assert_int_equal(sequence_position(&s, 102), 3);
    assert_int_equal(sequence_position(&s, 105), 3);
    assert_int_equal(sequence_position(&s, 106), 5);
    assert_int_equal(sequence_position(&s, 108), 8);
    sequence_fini(&s);
    capture_close(&c);
}

static void numbers_that_go_back_are_counted_anew(void **state)
{
    (void)state;
    struct capture c, high, low;
    struct buffer joined;
    struct error why;
    buffer_init(&joined);
    high = capture_of("++", 900);
    low = capture_of("+", 10);
    for (size_t i = 0; i < 3; i++) {
        const struct capture_frame *f = i < 2 ? &high.frames[i] : &low.frames[0];
        capture_append(&joined, f->bytes, f->len);
    }
    assert_true(capture_adopt(&c, &joined, &why));
    struct sequence s = sequence_of(&c, (struct sequence_options){0});
    assert_int_equal(sequence_seq_at(&s, 0), 900);
    assert_int_equal(sequence_seq_at(&s, 2), 902);
    sequence_fini(&s);
    capture_close(&high);
    capture_close(&low);
    capture_close(&c);
}

static void a_number_behind_the_end_finds_the_end(void **state)
{
    (void)state;
    struct capture c = capture_of("++i", 100);
    struct sequence s = sequence_of(&c, (struct sequence_options){0});
    assert_int_equal(sequence_position(&s, 101), 1);
    assert_int_equal(sequence_position(&s, 102), 3);
    assert_int_equal(sequence_position(&s, INT64_MAX), 3);
    sequence_fini(&s);
    capture_close(&c);
}

static void events_are_counted_without_what_has_no_number(void **state)
{
    (void)state;
    struct capture c = capture_of("+i+", 100);
    struct sequence s = sequence_of(&c, (struct sequence_options){.max_events = 5, .is_repeated = true});
    assert_int_equal(s.end, 7); /* + i + | + i + | + */
    sequence_fini(&s);
    s = sequence_of(&c, (struct sequence_options){.max_events = 5});
    assert_int_equal(s.end, 3);
    sequence_fini(&s);
    capture_close(&c);
}

static void a_number_of_another_length_makes_a_frame_of_another_length(void **state)
{
    (void)state;
    struct capture c = capture_of("+", 5);
    struct sequence s = sequence_of(
        &c, (struct sequence_options){.is_repeated = true, .first_seq = optional_of(23)});
    struct buffer b;
    buffer_init(&b);
    sequence_append(&s, 0, false, NULL, &b);
    size_t len = b.len;
    assert_int_equal(b.data[0], 0x82);
    assert_int_equal(b.data[1], len - 2);
    assert_memory_equal(b.data + b.len - 5, "\x63seq\x17", 5);
    buffer_clear(&b);
    sequence_append(&s, 1, false, NULL, &b);
    assert_int_equal(b.len, len + 1);
    assert_memory_equal(b.data + b.len - 6, "\x63seq\x18\x18", 6);
    sequence_fini(&s);
    buffer_fini(&b);
    capture_close(&c);
}

static void a_fragmented_message_ends_with_an_empty_continuation(void **state)
{
    (void)state;
    struct capture c = capture_of("+", 5);
    struct sequence s = sequence_of(&c, (struct sequence_options){0});
    struct buffer b;
    buffer_init(&b);
    sequence_append(&s, 0, true, NULL, &b);
    assert_int_equal(b.data[0], 0x02);
    assert_memory_equal(b.data + b.len - 2, "\x80\x00", 2);
    sequence_fini(&s);
    buffer_fini(&b);
    capture_close(&c);
}

/* Makes a capture of one frame with this time, and appends the frame that is served at `now` to *out. */
static void serve_with_time(const char *own, uint64_t first_seq, const char *now, struct buffer *out)
{
    struct buffer b, frame;
    struct capture c;
    struct error why;
    buffer_init(&b);
    buffer_init(&frame);
    cbor_write_map(&frame, 1);
    cbor_pair_text(&frame, "t", "#identity");
    cbor_write_map(&frame, 2);
    cbor_pair_int(&frame, "seq", 5);
    cbor_pair_text(&frame, "time", own);
    capture_append(&b, frame.data, frame.len);
    assert_true(capture_adopt(&c, &b, &why));
    struct sequence s = sequence_of(&c, (struct sequence_options){.first_seq = optional_of((int64_t)first_seq)});
    sequence_append(&s, 0, false, now, out);
    sequence_fini(&s);
    buffer_fini(&frame);
    capture_close(&c);
}

static void assert_time_served(const char *own, const char *now, const char *expected)
{
    static const uint64_t seqs[] = {5, 31000000001}; /* of the same length as in the capture, and longer */
    for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
        struct buffer out;
        buffer_init(&out);
        serve_with_time(own, seqs[i], now, &out);
        size_t len = strlen(expected);
        assert_memory_equal(out.data + out.len - len, expected, len);
        buffer_fini(&out);
    }
}

static void a_frame_gets_the_time_of_sending_if_it_is_wanted(void **state)
{
    (void)state;
    static const char now[] = "2026-11-28T10:00:00.123Z";
    assert_time_served("2026-01-02T03:04:05.678Z", now, "\x64time\x78\x18" "2026-11-28T10:00:00.123Z");
    assert_time_served("2026-01-02T03:04:05.678Z", NULL, "\x64time\x78\x18" "2026-01-02T03:04:05.678Z");
}

static void a_time_of_another_length_or_without_sense_stays(void **state)
{
    (void)state;
    static const char now[] = "2026-11-28T10:00:00.123Z";
    assert_time_served("2026-01-02T03:04:05Z", now, "\x64time\x74" "2026-01-02T03:04:05Z");
    assert_time_served("2026-13-02T03:04:05.678Z", now, "\x64time\x78\x18" "2026-13-02T03:04:05.678Z");
}

static void a_capture_without_frames_cannot_be_served(void **state)
{
    (void)state;
    struct capture c = {0};
    struct sequence s;
    struct error why;
    assert_false(sequence_init(&s, &c, &(struct sequence_options){0}, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_begin_with_the_capture_or_where_they_are_told),
        cmocka_unit_test(a_number_finds_its_position_in_any_round),
        cmocka_unit_test(gaps_stay_and_a_number_in_one_finds_the_next_event),
        cmocka_unit_test(numbers_that_go_back_are_counted_anew),
        cmocka_unit_test(a_number_behind_the_end_finds_the_end),
        cmocka_unit_test(events_are_counted_without_what_has_no_number),
        cmocka_unit_test(a_number_of_another_length_makes_a_frame_of_another_length),
        cmocka_unit_test(a_fragmented_message_ends_with_an_empty_continuation),
        cmocka_unit_test(a_frame_gets_the_time_of_sending_if_it_is_wanted),
        cmocka_unit_test(a_time_of_another_length_or_without_sense_stays),
        cmocka_unit_test(a_capture_without_frames_cannot_be_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
