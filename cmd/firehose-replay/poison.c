#include "config.h"

#include "poison.h"

#include <string.h>

#include "atproto/cbor.h"
#include "cbor_write.h"

/* Returns where the body of a good frame begins. */
static size_t body_at(const struct buffer *frame)
{
    struct cbor_reader r;
    cbor_reader_init(&r, frame->data, frame->len);
    return cbor_skip(&r) ? (size_t)(r.at - r.start) : 0;
}

/* Returns the first byte behind an encoded key, or NULL. It searches bytes, not tokens: a match inside another item
 * does the same harm. */
static uint8_t *behind_key(struct buffer *frame, const char *key)
{
    uint8_t head[CBOR_HEAD_MAX_BYTES], wanted[CBOR_HEAD_MAX_BYTES + 32];
    size_t len = strlen(key), n = cbor_head(head, CBOR_MAJOR_TEXT, len);
    memcpy(wanted, head, n);
    memcpy(wanted + n, key, len);
    uint8_t *found = memmem(frame->data, frame->len, wanted, n + len);
    return found != NULL ? found + n + len : NULL;
}

/* Adds a pair to the body, with a key that sorts behind all others. The caller appends the value. */
static bool add_pair(struct buffer *frame)
{
    frame->data[body_at(frame)]++; /* the head's low bits are the count, as there are fewer than 23 pairs */
    cbor_write_text(frame, "zzzzzzzzzzzz");
    return true;
}

static bool cut_short(struct buffer *frame, struct dice *d)
{
    /* In most frames, but not in all, this is behind the seq. */
    frame->len -= 1 + dice_below(d, (uint32_t)frame->len / 3);
    return true;
}

static bool add_bytes(struct buffer *frame, struct dice *d)
{
    (void)d;
    cbor_write_null(frame);
    return true;
}

static bool make_indefinite(struct buffer *frame, struct dice *d)
{
    (void)d;
    frame->data[0] = 0xbf; /* a map without a length */
    return true;
}

static bool make_noise(struct buffer *frame, struct dice *d)
{
    dice_bytes(d, frame->data, frame->len);
    frame->data[0] = 0xff; /* no item begins with this byte */
    return true;
}

static bool break_text(struct buffer *frame, struct dice *d)
{
    (void)d;
    uint8_t *time = behind_key(frame, "time");
    if (time == NULL)
        return false;
    time[4] = 0xff; /* not UTF-8; the head of the text has two bytes */
    return true;
}

static bool negate_seq(struct buffer *frame, struct dice *d)
{
    (void)d;
    uint8_t *seq = behind_key(frame, "seq");
    if (seq == NULL)
        return false;
    *seq |= CBOR_MAJOR_NEGATIVE << 5;
    return true;
}

static bool nest_deeply(struct buffer *frame, struct dice *d)
{
    add_pair(frame);
    unsigned depth = dice_between(d, CBOR_MAX_DEPTH + 1, 5000);
    for (unsigned i = 0; i < depth; i++)
        cbor_write_array(frame, 1);
    cbor_write_array(frame, 0);
    return true;
}

static bool add_float(struct buffer *frame, struct dice *d)
{
    (void)d;
    static const uint8_t one_and_a_half[] = {0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0};
    add_pair(frame);
    buffer_append(frame, one_and_a_half, sizeof one_and_a_half);
    return true;
}

static bool break_car(struct buffer *frame, struct dice *d)
{
    (void)d;
    uint8_t *blocks = behind_key(frame, "blocks");
    if (blocks == NULL || blocks[0] != (CBOR_MAJOR_BYTES << 5 | 25)) /* two bytes of length */
        return false;
    blocks[3] = 0x7f; /* a wrong length for the CAR's header */
    return true;
}

static const struct way {
    const char *name;
    bool (*spoil)(struct buffer *frame, struct dice *d);
} ways[] = {
    {"cut short", cut_short},
    {"bytes behind the body", add_bytes},
    {"indefinite length", make_indefinite},
    {"noise", make_noise},
    {"text that is not UTF-8", break_text},
    {"negative seq", negate_seq},
    {"nested too deeply", nest_deeply},
    {"floating point", add_float},
    {"broken CAR", break_car},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

const char *poison_frame(struct buffer *frame, struct dice *d)
{
    for (;;) {
        /* Not every way works on every frame; the first two do. */
        const struct way *way = &ways[dice_below(d, WAYS)];
        if (!frame->failed && way->spoil(frame, d))
            return frame->failed ? NULL : way->name;
        if (frame->failed)
            return NULL;
    }
}
