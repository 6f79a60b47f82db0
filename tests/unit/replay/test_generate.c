/* Generated frames are repeatable to the byte, well formed, and shaped like those of the network. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "atproto/car.h"
#include "atproto/cid.h"
#include "atproto/event_json.h"
#include "base/sha256.h"
#include "capture.h"
#include "generate.h"

enum { FRAMES = 3000 };

static struct capture make(uint64_t seed, uint64_t count, uint64_t poison_every)
{
    struct generator_options o = GENERATOR_DEFAULTS;
    struct buffer b;
    struct capture c;
    struct error why;
    o.seed = seed;
    o.poison_every = poison_every;
    buffer_init(&b);
    assert_true(generator_capture(&o, count, &b));
    assert_true(capture_adopt(&c, &b, &why));
    assert_int_equal(c.count, count);
    return c;
}

static void the_same_seed_makes_the_same_bytes(void **state)
{
    (void)state;
    struct capture a = make(7, 300, 0), b = make(7, 300, 0), c = make(8, 300, 0);
    assert_int_equal(a.owned.len, b.owned.len);
    assert_memory_equal(a.owned.data, b.owned.data, a.owned.len);
    assert_true(a.owned.len != c.owned.len || memcmp(a.owned.data, c.owned.data, a.owned.len) != 0);
    capture_close(&a);
    capture_close(&b);
    capture_close(&c);
}

static void every_frame_decodes_and_seqs_rise_by_one(void **state)
{
    (void)state;
    static struct event event;
    struct capture c = make(1, FRAMES, 0);
    struct event_encoder *e = event_encoder_new(EVENT_FORMAT_EXTENDED);
    struct buffer json;
    size_t kinds[FRAME_KINDS] = {0}, likes = 0, ops = 0;
    buffer_init(&json);
    for (size_t i = 0; i < c.count; i++) {
        buffer_clear(&json);
        enum event_outcome outcome = event_encode(e, c.frames[i].bytes, c.frames[i].len, &json, &event);
        if (outcome != EVENT_READY)
            fail_msg("frame %zu: %s at byte %zu", i, event.violation.rule, event.violation.offset);
        if (event.has_drop)
            fail_msg("frame %zu: op %zu: %s", i, event.first_drop_op, event.first_drop_why.rule);
        assert_int_equal(event.frame.seq, 31000000001 + (int64_t)i);
        kinds[event.frame.kind]++;
        for (size_t k = 0; k < event.frame.op_count; k++, ops++)
            likes += event.frame.ops[k].path.len > 18 &&
                     memcmp(event.frame.ops[k].path.ptr, "app.bsky.feed.like", 18) == 0;
    }
    assert_true(kinds[FRAME_COMMIT] > FRAMES * 97 / 100);
    assert_true(kinds[FRAME_IDENTITY] > 0 && kinds[FRAME_ACCOUNT] > 0 && kinds[FRAME_SYNC] > 0);
    assert_true(likes > ops * 65 / 100 && likes < ops * 75 / 100);
    buffer_fini(&json);
    event_encoder_free(e);
    capture_close(&c);
}

static void every_block_hashes_to_its_cid_and_the_root_is_there(void **state)
{
    (void)state;
    static struct frame f;
    struct capture c = make(2, 500, 0);
    struct sha256 *sha = sha256_new();
    struct car_index index = {0};
    size_t blocks = 0, commits = 0;
    for (size_t i = 0; i < c.count; i++) {
        struct violation why;
        struct cbor_reader r;
        uint8_t digest[32];
        assert_true(frame_parse(c.frames[i].bytes, c.frames[i].len, &f, &why));
        if (f.kind != FRAME_COMMIT)
            continue;
        cbor_reader_init(&r, f.blocks.ptr, f.blocks.len);
        assert_true(car_index_read(&index, &r));
        assert_memory_equal(index.root, f.commit, CID_BYTES);
        assert_non_null(car_index_find(&index, f.commit));
        for (size_t k = 0; k < index.count; k++) {
            assert_true(sha256_digest(sha, index.blocks[k].data, index.blocks[k].len, digest));
            assert_memory_equal(index.blocks[k].cid + CID_DIGEST_OFFSET, digest, sizeof digest);
            cbor_reader_init(&r, index.blocks[k].data, index.blocks[k].len);
            assert_true(cbor_skip(&r));
            assert_ptr_equal(r.at, r.end);
        }
        blocks += index.count;
        commits++;
    }
    assert_true(blocks > 9 * commits && blocks < 13 * commits);
    car_index_fini(&index);
    sha256_free(sha);
    capture_close(&c);
}

static void frames_are_as_large_as_real_ones(void **state)
{
    (void)state;
    struct capture c = make(3, FRAMES, 0);
    size_t bytes = 0;
    for (size_t i = 0; i < c.count; i++)
        bytes += c.frames[i].len;
    assert_in_range(bytes / c.count, 5000, 5600);
    capture_close(&c);
}

static void revs_of_a_repository_rise_and_since_names_the_last_one(void **state)
{
    (void)state;
    static struct frame f;
    struct generator_options o = GENERATOR_DEFAULTS;
    struct generator *g;
    struct buffer frame;
    char rev[14] = "";
    o.dids = 1;
    g = generator_new(&o);
    buffer_init(&frame);
    for (int i = 0; i < 500; i++) {
        struct violation why;
        generator_next(g, &frame);
        assert_true(frame_parse(frame.data, frame.len, &f, &why));
        if (f.kind != FRAME_COMMIT && f.kind != FRAME_SYNC)
            continue;
        assert_int_equal(f.rev.len, 13);
        assert_true(memcmp(f.rev.ptr, rev, 13) > 0);
        if (f.kind == FRAME_COMMIT && rev[0] != '\0')
            assert_memory_equal(f.since.ptr, rev, 13);
        memcpy(rev, f.rev.ptr, 13);
    }
    buffer_fini(&frame);
    generator_free(g);
}

static void poisoned_frames_are_refused_and_the_others_are_not(void **state)
{
    (void)state;
    static struct event event;
    struct capture c = make(4, FRAMES, 3);
    struct event_encoder *e = event_encoder_new(EVENT_FORMAT_EXTENDED);
    struct buffer json;
    int64_t last_seq = 31000000000;
    buffer_init(&json);
    for (size_t i = 0; i < c.count; i++) {
        struct frame_peek peek;
        struct violation why;
        const struct capture_frame *f = &c.frames[i];
        buffer_clear(&json);
        enum event_outcome outcome = event_encode(e, f->bytes, f->len, &json, &event);
        assert_int_equal(outcome, i % 3 == 2 ? EVENT_REFUSED : EVENT_READY);
        if (frame_peek(f->bytes, f->len, &peek, &why) && peek.has_seq)
            assert_int_equal(peek.seq, ++last_seq);
    }
    buffer_fini(&json);
    event_encoder_free(e);
    capture_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_makes_the_same_bytes),
        cmocka_unit_test(every_frame_decodes_and_seqs_rise_by_one),
        cmocka_unit_test(every_block_hashes_to_its_cid_and_the_root_is_there),
        cmocka_unit_test(frames_are_as_large_as_real_ones),
        cmocka_unit_test(revs_of_a_repository_rise_and_since_names_the_last_one),
        cmocka_unit_test(poisoned_frames_are_refused_and_the_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
