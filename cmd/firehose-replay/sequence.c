#include "config.h"

#include "sequence.h"

#include <stdlib.h>
#include <string.h>

#include "atproto/cbor.h"
#include "cbor_write.h"
#include "net/websocket.h"

struct template {
    const uint8_t *frame;
    uint32_t len;
    uint32_t seq_at;          /* offset of the number, which the rest of the frame lies around */
    uint32_t seq_len;         /* 0: no seq */
    uint32_t numbered_before; /* templates in front of this one that have a seq */
};

/* ---- where the number is ---- */

static bool text_is(const struct cbor_token *t, const char *text)
{
    return t->kind == CBOR_TEXT && t->len == strlen(text) && memcmp(t->data, text, t->len) == 0;
}

/* Finds the value of "seq" in the frame's body. What is behind it is not looked at: it may be spoiled. */
static bool find_seq(struct cbor_reader *r, struct template *t, uint64_t *seq)
{
    struct cbor_token map, key, value;
    if (!cbor_skip(r) || !cbor_expect(r, CBOR_MAP, &map, "no body"))
        return false;
    for (uint64_t i = 0; i < map.value; i++) {
        if (!cbor_next_key(r, NULL, &key))
            return false;
        if (!text_is(&key, "seq")) {
            if (!cbor_skip(r))
                return false;
            continue;
        }
        const uint8_t *at = r->at;
        if (!cbor_expect(r, CBOR_UNSIGNED, &value, "no number"))
            return false;
        t->seq_at = (uint32_t)(at - r->start);
        t->seq_len = (uint32_t)(r->at - at);
        *seq = value.value;
        return value.value <= INT64_MAX;
    }
    return false;
}

static void make_template(struct sequence *s, const struct capture_frame *frame, uint64_t *capture_first_seq)
{
    struct template *t = &s->templates[s->count];
    struct cbor_reader r;
    uint64_t seq;
    *t = (struct template){
        .frame = frame->bytes, .len = (uint32_t)frame->len, .numbered_before = (uint32_t)s->numbered_count};
    cbor_reader_init(&r, frame->bytes, frame->len);
    if (find_seq(&r, t, &seq)) {
        if (s->numbered_count == 0)
            *capture_first_seq = seq;
        s->numbered[s->numbered_count++] = (uint32_t)s->count;
    } else {
        t->seq_len = 0;
    }
    s->count++;
}

/* The position behind the last event, where there are to be no more than `events`. */
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
        error_set(why, capture->count == 0 ? "no frame in it" : "too many frames");
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
    s->first_seq = options->has_first_seq ? options->first_seq : capture_first_seq;
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
    uint64_t event = seq - s->first_seq, rounds = event / s->numbered_count;
    if (rounds > s->end / s->count)
        return s->end;
    uint64_t position = rounds * s->count + s->numbered[event % s->numbered_count];
    return position < s->end ? position : s->end;
}

uint64_t sequence_seq_at(const struct sequence *s, uint64_t position)
{
    const struct template *t = &s->templates[position % s->count];
    return s->first_seq + position / s->count * s->numbered_count + t->numbered_before;
}

/* ---- messages ---- */

void sequence_append(const struct sequence *s, uint64_t position, bool fragment, struct buffer *out)
{
    const struct template *t = &s->templates[position % s->count];
    uint8_t seq[CBOR_HEAD_MAX_BYTES], header[10];
    size_t seq_len = t->seq_len > 0 ? cbor_head(seq, CBOR_MAJOR_UNSIGNED, sequence_seq_at(s, position)) : 0;
    size_t len = t->len - t->seq_len + seq_len, tail = t->seq_at + t->seq_len;
    size_t header_len = ws_server_header(header, WS_BINARY, !fragment, len);
    if (!buffer_reserve(out, sizeof header + len + 2)) /* all of a message or nothing */
        return;
    buffer_append(out, header, header_len);
    buffer_append(out, t->frame, t->seq_at);
    buffer_append(out, seq, seq_len);
    buffer_append(out, t->frame + tail, t->len - tail);
    if (fragment) {
        header_len = ws_server_header(header, WS_CONTINUATION, true, 0);
        buffer_append(out, header, header_len);
    }
}
