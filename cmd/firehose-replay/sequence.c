#include "config.h"

#include "sequence.h"

#include <stdlib.h>
#include <string.h>

#include "atproto/cbor.h"
#include "base/rfc3339.h"
#include "cbor_write.h"
#include "net/websocket.h"

struct template
{
    const uint8_t *frame;
    uint32_t len;
    uint32_t seq_at;  /* offset of the encoded seq in the frame */
    uint32_t seq_len; /* 0: no seq */
    uint32_t time_at; /* offset of the text of the frame's time; 0: none that can be replaced */
    uint64_t offset;  /* from first_seq to the seq here: that of this frame, or of the next one that has a seq */
};

/* ---- the seq and the time of a frame ---- */

static bool text_is(const struct cbor_token *t, const char *text)
{
    return t->kind == CBOR_TEXT && t->len == strlen(text) && memcmp(t->data, text, t->len) == 0;
}

static bool take_seq(struct cbor_reader *r, struct template *t, uint64_t *seq)
{
    struct cbor_token value;
    const uint8_t *at = r->at;
    if (!cbor_expect(r, CBOR_UNSIGNED, &value, "no number") || value.value > INT64_MAX)
        return false;
    t->seq_at = (uint32_t)(at - r->start);
    t->seq_len = (uint32_t)(r->at - at);
    *seq = value.value;
    return true;
}

static bool take_time(struct cbor_reader *r, struct template *t)
{
    struct cbor_token value;
    int64_t ignored;
    if (!cbor_expect(r, CBOR_TEXT, &value, "no text"))
        return false;
    if (value.len == SEQUENCE_TIME_LEN && rfc3339_parse(value.data, value.len, &ignored))
        t->time_at = (uint32_t)((const uint8_t *)value.data - r->start);
    return true;
}

/* Finds the values of "seq" and "time" in the frame's body, as far as it can be read: a spoiled frame may have a seq
 * and no end. */
static void find_values(struct cbor_reader *r, struct template *t, uint64_t *seq)
{
    struct cbor_token map, key;
    bool ok = cbor_skip(r) && cbor_expect(r, CBOR_MAP, &map, "no body");
    for (uint64_t i = 0; ok && i < map.value; i++) {
        ok = cbor_next_key(r, NULL, &key);
        if (ok && t->seq_len == 0 && text_is(&key, "seq"))
            ok = take_seq(r, t, seq);
        else if (ok && text_is(&key, "time"))
            ok = take_time(r, t);
        else
            ok = ok && cbor_skip(r);
    }
}

static void make_template(struct sequence *s, const struct capture_frame *frame, uint64_t *capture_first_seq)
{
    struct template *t = &s->templates[s->count];
    struct cbor_reader r;
    uint64_t seq = 0;
    *t = (struct template){.frame = frame->bytes, .len = (uint32_t)frame->len};
    cbor_reader_init(&r, frame->bytes, frame->len);
    find_values(&r, t, &seq);
    if (t->seq_len > 0) {
        if (s->numbered_count == 0)
            *capture_first_seq = seq;
        s->numbered[s->numbered_count++] = (uint32_t)s->count;
        t->offset = seq;
    }
    s->count++;
}

/* Keeps the capture's numbers if they rise (a relay that holds events back leaves gaps). Otherwise counts the
 * frames. */
static void set_offsets(struct sequence *s, uint64_t first_seq)
{
    bool rises = true;
    uint64_t last = 0;
    for (size_t i = 0; i < s->numbered_count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): numbered_count of them are set */
        uint64_t seq = s->templates[s->numbered[i]].offset;
        rises = rises && (i == 0 || seq > last);
        last = seq;
    }
    for (size_t i = 0; i < s->numbered_count; i++) {
        struct template *t = &s->templates[s->numbered[i]];
        t->offset = rises ? t->offset - first_seq : i;
    }
    s->span = s->numbered_count == 0 ? 0 : s->templates[s->numbered[s->numbered_count - 1]].offset + 1;
    uint64_t next = s->span;
    for (size_t i = s->count; i-- > 0;) {
        if (s->templates[i].seq_len > 0)
            next = s->templates[i].offset;
        s->templates[i].offset = next;
    }
}

/* Returns the position behind the last event, if there must be at most `events` of them (0: no limit). */
static uint64_t find_end(const struct sequence *s, bool is_repeated, uint64_t events)
{
    uint64_t round = is_repeated ? SEQUENCE_ENDLESS : s->count;
    if (events == 0)
        return round;
    uint64_t last = events - 1, position;
    if (s->numbered_count == 0)
        position = last;
    else
        position = last / s->numbered_count * s->count + s->numbered[last % s->numbered_count];
    return position + 1 < round ? position + 1 : round;
}

bool sequence_init(struct sequence *s, const struct capture *capture, const struct sequence_options *options,
                   struct error *why)
{
    *s = (struct sequence){0};
    if (capture->count == 0 || capture->count > UINT32_MAX) {
        error_set(why, capture->count == 0 ? "the capture has no frame" : "the capture has too many frames");
        return false;
    }
    s->templates = malloc(capture->count * sizeof *s->templates);
    s->numbered = malloc(capture->count * sizeof *s->numbered);
    if (s->templates == NULL || s->numbered == NULL) {
        error_set(why, "out of memory");
        sequence_fini(s);
        return false;
    }
    uint64_t capture_first_seq = 1;
    for (size_t i = 0; i < capture->count; i++)
        make_template(s, &capture->frames[i], &capture_first_seq);
    set_offsets(s, capture_first_seq);
    s->first_seq = options->first_seq.is_known ? (uint64_t)options->first_seq.value : capture_first_seq;
    s->end = find_end(s, options->is_repeated, options->max_events);
    return true;
}

void sequence_fini(struct sequence *s)
{
    free(s->templates);
    free(s->numbered);
    *s = (struct sequence){0};
}

/* ---- numbers and positions ---- */

uint64_t sequence_position(const struct sequence *s, uint64_t seq)
{
    if (s->numbered_count == 0 || seq <= s->first_seq)
        return 0;
    uint64_t rounds = (seq - s->first_seq) / s->span, offset = (seq - s->first_seq) % s->span;
    if (rounds > s->end / s->count)
        return s->end;
    size_t low = 0, high = s->numbered_count - 1; /* the last offset is span - 1, so the search always finds one */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->templates[s->numbered[middle]].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    uint64_t position = rounds * s->count + s->numbered[low];
    return position < s->end ? position : s->end;
}

uint64_t sequence_seq_at(const struct sequence *s, uint64_t position)
{
    const struct template *t = &s->templates[position % s->count];
    return s->first_seq + position / s->count * s->span + t->offset;
}

/* ---- messages ---- */

void sequence_append(const struct sequence *s, uint64_t position, bool fragment, const char *time, struct buffer *out)
{
    const struct template *t = &s->templates[position % s->count];
    uint8_t seq[CBOR_HEAD_MAX_BYTES], header[10];
    size_t seq_len = t->seq_len > 0 ? cbor_head(seq, CBOR_MAJOR_UNSIGNED, sequence_seq_at(s, position)) : 0;
    size_t len = t->len - t->seq_len + seq_len, tail = t->seq_at + t->seq_len;
    size_t header_len = ws_server_header(header, WS_BINARY, !fragment, len);
    if (!buffer_reserve(out, sizeof header + len + 2)) /* append the whole message, or nothing */
        return;
    buffer_append(out, header, header_len);
    size_t start = out->len;
    buffer_append(out, t->frame, t->seq_at);
    buffer_append(out, seq, seq_len);
    buffer_append(out, t->frame + tail, t->len - tail);
    size_t time_at = t->time_at > t->seq_at ? t->time_at + seq_len - t->seq_len : t->time_at;
    if (time != NULL && t->time_at > 0)
        memcpy(out->data + start + time_at, time, SEQUENCE_TIME_LEN);
    if (fragment) {
        header_len = ws_server_header(header, WS_CONTINUATION, true, 0);
        buffer_append(out, header, header_len);
    }
}
