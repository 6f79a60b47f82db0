/* The decoder and the reference (tests/reference/) give the same outcome, the same drops and the same JSON, byte for
 * byte, for generated and mutated frames. A failure prints the seed; FIREHOSED_SEED repeats a run, and
 * FIREHOSED_RANDOM_FRAMES makes it longer. */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "atproto/event_json.h"
#include "capture.h"
#include "dice.h"
#include "generate.h"
#include "reference.h"

enum { FRAMES = 1500, MUTANTS = 4 };

static uint64_t seed;
static long frames = FRAMES;
static struct event_encoder *encoder;
static struct event event;
static struct buffer out;
static unsigned outcomes[EVENT_REFUSED + 1], drops;

static void print_frame(const uint8_t *frame, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fprintf(stderr, "%02x", frame[i]);
    fputc('\n', stderr);
}

/* Compares both formats. Copies the bytes into memory of exactly their size. */
static void check(const uint8_t *bytes, size_t len)
{
    uint8_t *frame = malloc(len > 0 ? len : 1);
    assert_non_null(frame);
    memcpy(frame, bytes, len);
    for (int extended = 0; extended < 2; extended++) {
        event_encoder_set_format(encoder, extended ? EVENT_FORMAT_EXTENDED : EVENT_FORMAT_COMPAT);
        buffer_clear(&out);
        enum event_outcome outcome = event_encode(encoder, frame, len, &out, &event);
        const char *wrong = reference_disagrees(frame, len, extended, outcome, &event, out.data, out.len);
        if (wrong != NULL) {
            print_frame(frame, len);
            fail_msg("FIREHOSED_SEED=%" PRIu64 ": %s", seed, wrong);
        }
        outcomes[outcome]++;
        drops += outcome == EVENT_READY && event.has_drop;
    }
    free(frame);
}

static struct capture make(uint64_t poison_every)
{
    struct generator_options o = GENERATOR_DEFAULTS;
    struct buffer b;
    struct capture c;
    struct error why;
    o.seed = seed;
    o.poison_every = poison_every;
    buffer_init(&b);
    assert_true(generator_capture(&o, (uint64_t)frames, &b));
    assert_true(capture_adopt(&c, &b, &why));
    return c;
}

static void made_up_frames_agree(void **state)
{
    (void)state;
    struct capture c = make(0);
    memset(outcomes, 0, sizeof outcomes);
    for (size_t i = 0; i < c.count; i++)
        check(c.frames[i].bytes, c.frames[i].len);
    assert_true(outcomes[EVENT_READY] > 0 && outcomes[EVENT_REFUSED] == 0);
    capture_close(&c);
}

static void spoiled_frames_agree(void **state)
{
    (void)state;
    struct capture c = make(2);
    memset(outcomes, 0, sizeof outcomes);
    for (size_t i = 0; i < c.count; i++)
        check(c.frames[i].bytes, c.frames[i].len);
    assert_true(outcomes[EVENT_READY] > 0 && outcomes[EVENT_REFUSED] > 0);
    capture_close(&c);
}

/* Changes, removes or inserts a few bytes, mostly at the front, where the envelope is. */
static void mutate(struct buffer *b, struct dice *d)
{
    static const uint8_t heads[] = {0x00, 0x18, 0x1b, 0x20, 0x3b, 0x40, 0x58, 0x5f, 0x60, 0x78, 0x7f, 0x80,
                                    0x9b, 0x9f, 0xa0, 0xbb, 0xbf, 0xc1, 0xd8, 0xf4, 0xf6, 0xf7, 0xfb, 0xff};
    for (uint32_t n = dice_between(d, 1, 3); n > 0 && b->len > 0; n--) {
        uint32_t within = dice_permille(d, 500) && b->len > 400 ? 400 : (uint32_t)b->len;
        uint32_t at = dice_below(d, within), run = dice_between(d, 1, 8);
        switch (dice_below(d, 6)) {
        case 0:
            b->data[at] ^= (uint8_t)(1u << dice_below(d, 8));
            break;
        case 1:
            b->data[at] = heads[dice_below(d, sizeof heads)];
            break;
        case 2:
            b->data[at] = (uint8_t)dice_below(d, 256);
            break;
        case 3:
            if (b->len > at + run) {
                memmove(b->data + at, b->data + at + run, b->len - at - run);
                b->len -= run;
            }
            break;
        case 4:
            assert_true(buffer_reserve(b, run));
            memmove(b->data + at + run, b->data + at, b->len - at);
            b->len += run;
            break;
        default:
            b->len = dice_below(d, 4) == 0 ? at : b->len;
            break;
        }
    }
}

static void mutated_frames_agree(void **state)
{
    (void)state;
    struct capture c = make(0);
    struct dice d = {.state = seed};
    struct buffer b;
    buffer_init(&b);
    memset(outcomes, 0, sizeof outcomes);
    drops = 0;
    for (size_t i = 0; i < c.count; i++)
        for (int n = 0; n < MUTANTS; n++) {
            buffer_clear(&b);
            buffer_append(&b, c.frames[i].bytes, c.frames[i].len);
            mutate(&b, &d);
            check(b.data, b.len);
        }
    assert_true(outcomes[EVENT_READY] > 0 && outcomes[EVENT_REFUSED] > 0 && drops > 0);
    buffer_fini(&b);
    capture_close(&c);
}

int main(void)
{
    const char *given = getenv("FIREHOSED_SEED"), *longer = getenv("FIREHOSED_RANDOM_FRAMES");
    seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    frames = longer != NULL && strtol(longer, NULL, 10) > 0 ? strtol(longer, NULL, 10) : FRAMES;
    printf("FIREHOSED_SEED=%" PRIu64 "\n", seed);
    encoder = event_encoder_new(EVENT_FORMAT_COMPAT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_up_frames_agree),
        cmocka_unit_test(spoiled_frames_agree),
        cmocka_unit_test(mutated_frames_agree),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    event_encoder_free(encoder);
    buffer_fini(&out);
    return failed;
}
