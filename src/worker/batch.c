/* batch.c: the hot path. A frame comes in as bytes and leaves as an XADD in the transaction, in one pass. */
#include "config.h"

#include "worker/batch.h"

#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

enum {
    /* "$1234567890\r\n" behind "data": the length is known only when the JSON is written. Most lengths have three
     * digits; other events are moved by the difference. */
    USUAL_DIGITS = 3,
    KEEP_BYTES = 4 << 20, /* memory a batch may keep after a burst of huge events */
    TRIM_EVERY = 100,     /* events; MAXLEN ~ removes whole nodes of up to so many */
};

/* "XADD key [MAXLEN ~ n] *" with `fields` names and values to follow. */
static void append_xadd(struct buffer *b, const char *key, int64_t max_len, unsigned fields)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)max_len);
    buffer_append_format(b, "*%u\r\n", (max_len > 0 ? 6 : 3) + 2 * fields);
    resp_append_bulk(b, "XADD");
    resp_append_bulk(b, key);
    if (max_len > 0) {
        resp_append_bulk(b, "MAXLEN");
        resp_append_bulk(b, "~");
        resp_append_bulk(b, digits);
    }
    resp_append_bulk(b, "*");
}

static void append_event_front(struct buffer *b, enum frame_kind kind, const char *key, int64_t max_len)
{
    append_xadd(b, key, max_len, 3);
    resp_append_bulk(b, "type");
    resp_append_bulk(b, frame_kind_name(kind));
    resp_append_bulk(b, "data");
}

bool batch_format_init(struct batch_format *f, const struct config *config)
{
    static const enum frame_kind delivered[] = {FRAME_COMMIT, FRAME_SYNC, FRAME_IDENTITY, FRAME_ACCOUNT};
    *f = (struct batch_format){0};
    bool ok = true;
    for (size_t i = 0; i < sizeof delivered / sizeof delivered[0]; i++) {
        enum frame_kind kind = delivered[i];
        append_event_front(&f->event[kind], kind, config->stream_key, 0);
        append_event_front(&f->trimming_event[kind], kind, config->stream_key, config->stream_max_len);
        ok = ok && !f->event[kind].failed && !f->trimming_event[kind].failed;
    }
    append_xadd(&f->dead_letter, config->dead_letters_key, config->dead_letters_max_len, 3);
    ok = ok && !f->dead_letter.failed;
    if (!ok)
        batch_format_fini(f);
    return ok;
}

void batch_format_fini(struct batch_format *f)
{
    for (size_t i = 0; i < FRAME_KINDS; i++) {
        buffer_fini(&f->event[i]);
        buffer_fini(&f->trimming_event[i]);
    }
    buffer_fini(&f->dead_letter);
}

void batch_init(struct batch *b)
{
    *b = (struct batch){0};
    batch_begin(b);
}

void batch_fini(struct batch *b) { buffer_fini(&b->out); }

void batch_begin(struct batch *b)
{
    struct buffer out = b->out;
    buffer_clear(&out);
    buffer_trim(&out, KEEP_BYTES);
    *b = (struct batch){.out = out};
    buffer_append_literal(&b->out, "*1\r\n$5\r\nMULTI\r\n");
}

void batch_finish(struct batch *b, const char *progress_key, const char *owner_key)
{
    if (b->touched != 0)
        progress_append_write(&b->out, progress_key, &b->marks, b->touched);
    buffer_append_literal(&b->out, "*1\r\n$4\r\nEXEC\r\n");
    resp_append_command(&b->out, 2, "WATCH");
    resp_append_bulk(&b->out, owner_key);
    resp_append_command(&b->out, 2, "GET");
    resp_append_bulk(&b->out, owner_key);
}

/* Returns the place behind the command that begins at `at`: "*n", and n times "$len" and so many bytes. */
static size_t skip_command(const struct buffer *b, size_t at)
{
    const char *text = (const char *)b->data;
    char *end;
    unsigned long words = strtoul(text + at + 1, &end, 10);
    at = (size_t)(end - text) + 2;
    while (words-- > 0) {
        unsigned long len = strtoul(text + at + 1, &end, 10);
        at = (size_t)(end - text) + 2 + len + 2;
    }
    return at;
}

void batch_keep_failed(struct batch *b, const bool *failed)
{
    size_t from = skip_command(&b->out, 0), to = from, kept = 0; /* behind MULTI */
    for (size_t i = 0; i < b->commands; i++) {
        size_t next = skip_command(&b->out, from);
        if (failed[i]) {
            memmove(b->out.data + to, b->out.data + from, next - from);
            to += next - from;
            kept++;
        }
        from = next;
    }
    memmove(b->out.data + to, b->out.data + from, b->out.len - from);
    b->out.len -= from - to;
    b->commands = kept;
}

void batch_add_duplicate(struct batch *b, const struct frame_ref *ref)
{
    b->counts[COUNTER_DUPLICATE]++;
    b->frames++;
    b->last_id = ref->id;
}

/* Opens a bulk string whose length is not known yet. Returns the place where its bytes begin. */
static size_t open_bulk(struct buffer *out)
{
    buffer_append_literal(out, "$000\r\n");
    return out->len;
}

/* Writes the length in front of what was appended since, and ends the bulk string. */
static void close_bulk(struct buffer *out, size_t start)
{
    size_t len = out->len - start;
    char digits[20];
    char *first = format_unsigned_backwards(digits + sizeof digits, len);
    size_t count = (size_t)(digits + sizeof digits - first);
    if (!buffer_reserve(out, count + 2))
        return;
    uint8_t *head = out->data + start - USUAL_DIGITS - 2; /* behind the '$' */
    if (count != USUAL_DIGITS) {
        memmove(head + count + 2, head + USUAL_DIGITS + 2, len);
        out->len = out->len - USUAL_DIGITS + count;
        memcpy(head + count, "\r\n", 2);
    }
    memcpy(head, first, count);
    buffer_append_literal(out, "\r\n");
}

static void append_seq(struct buffer *out, int64_t seq)
{
    buffer_append_literal(out, "$3\r\nseq\r\n");
    size_t value = open_bulk(out);
    buffer_append_signed(out, seq);
    close_bulk(out, value);
}

/* A dead letter has seq, reason, and the frame as it came. The caller appends the reason at the returned place. */
static size_t open_dead_letter(struct batch *b, const struct batch_format *f, const struct frame_ref *ref)
{
    struct buffer *out = &b->out;
    buffer_append(out, f->dead_letter.data, f->dead_letter.len);
    append_seq(out, ref->seq);
    buffer_append_literal(out, "$6\r\nreason\r\n");
    return open_bulk(out);
}

static void close_dead_letter(struct batch *b, size_t reason, const struct frame_ref *ref, const uint8_t *frame)
{
    struct buffer *out = &b->out;
    close_bulk(out, reason);
    buffer_append_literal(out, "$5\r\nframe\r\n");
    size_t value = open_bulk(out);
    json_append_base64(out, frame, ref->len, true);
    close_bulk(out, value);
    b->commands++;
}

static void append_dead_letter(struct batch *b, const struct batch_format *f,
                               const struct frame_ref *ref, const uint8_t *frame,
                               const struct violation *why, const struct frame_op *op)
{
    struct buffer *out = &b->out;
    size_t reason = open_dead_letter(b, f, ref);
    if (op != NULL) {
        char path[FRAME_MAX_COLLECTION + 1 + FRAME_MAX_RECORD_KEY + 1];
        buffer_append_literal(out, "record ");
        buffer_append(out, path, text_copy(path, sizeof path, op->path.ptr, op->path.len));
        buffer_append_literal(out, ": ");
    }
    buffer_append_format(out, "%s at byte %zu", why->rule, why->offset);
    close_dead_letter(b, reason, ref, frame);
}

/* Appends one event as an XADD. The outcome is that of event_encode(); an event that it does not accept leaves no
 * trace. */
static enum event_outcome append_event(struct batch *b, const struct batch_format *f,
                                       struct event_encoder *encoder, const struct frame_ref *ref,
                                       const uint8_t *frame, struct event *event)
{
    struct buffer *out = &b->out;
    size_t before = out->len;
    enum frame_kind kind = ref->kind < FRAME_KINDS ? (enum frame_kind)ref->kind : FRAME_UNKNOWN;
    /* Only the first event and each hundredth after it trim the stream: the words for it are a tenth of an XADD's cost.
     * */
    const struct buffer *front =
        b->counts[COUNTER_WRITTEN] % TRIM_EVERY == 0 ? &f->trimming_event[kind] : &f->event[kind];
    buffer_append(out, front->data, front->len);
    size_t data = open_bulk(out);
    enum event_outcome outcome = event_encode(encoder, frame, ref->len, out, event);
    if (outcome == EVENT_READY && event->frame.kind != ref->kind) {
        /* The type in front of the JSON comes from the master's peek: the two readers of a frame must agree. */
        event->violation = (struct violation){.rule = "kind of the frame is ambiguous"};
        outcome = EVENT_REFUSED;
    }
    if (outcome != EVENT_READY) {
        out->len = before;
        return outcome;
    }
    b->json_len = out->len - data;
    close_bulk(out, data);
    b->json_at = out->len - 2 - b->json_len; /* in front of the line's end */
    append_seq(out, event->frame.seq);
    b->commands++;
    return EVENT_READY;
}

/* Raises the mark of the frame's partition to its seq. */
static void set_mark(struct batch *b, const struct frame_ref *ref)
{
    if (ref->seq <= 0 || ref->verdict == VERDICT_IMPLAUSIBLE)
        return;
    b->marks.seq[ref->partition % PARTITIONS] = ref->seq;
    b->touched |= UINT64_C(1) << ref->partition % PARTITIONS;
}

bool batch_add_condemned(struct batch *b, const struct batch_format *f, const struct frame_ref *ref,
                         const uint8_t *frame)
{
    struct buffer *out = &b->out;
    size_t before = out->len;
    size_t reason = open_dead_letter(b, f, ref);
    switch ((enum verdict)ref->verdict) {
    case VERDICT_SIGNAL:
        buffer_append_format(out, "killed its worker %s: signal %u (%s)",
                             ref->cause == SIGKILL ? "again and again" : "twice", ref->cause,
                             strsignal(ref->cause));
        break;
    case VERDICT_EXIT:
        buffer_append_format(out, "killed its worker twice: exit status %u", ref->cause);
        break;
    case VERDICT_HANG:
        buffer_append_literal(out, "made its worker hang twice: no sign of life within worker_timeout");
        break;
    case VERDICT_IMPLAUSIBLE:
        buffer_append_literal(out, "implausible seq: far above those before and after it");
        break;
    case VERDICT_NONE:
        break;
    }
    close_dead_letter(b, reason, ref, frame);
    if (out->failed) {
        out->failed = false;
        out->len = before;
        b->commands--;
        return false;
    }
    b->counts[COUNTER_QUARANTINED]++;
    b->frames++;
    b->last_id = ref->id;
    set_mark(b, ref);
    return true;
}

bool batch_add(struct batch *b, const struct batch_format *f, struct event_encoder *encoder,
               const struct frame_ref *ref, const uint8_t *frame, struct event *event,
               enum event_outcome *outcome)
{
    size_t before = b->out.len, commands = b->commands;
    *outcome = append_event(b, f, encoder, ref, frame, event);
    if (*outcome == EVENT_REFUSED && !b->out.failed)
        append_dead_letter(b, f, ref, frame, &event->violation, NULL);
    else if (*outcome == EVENT_READY && event->dropped[OP_DROP_BAD_RECORD] > 0)
        append_dead_letter(b, f, ref, frame, &event->first_drop_why, &event->frame.ops[event->first_drop_op]);
    if (b->out.failed) {
        b->out.failed = false;
        b->out.len = before;
        b->commands = commands;
        return false;
    }
    b->counts[*outcome == EVENT_READY      ? COUNTER_WRITTEN
              : *outcome == EVENT_FILTERED ? COUNTER_FILTERED
                                           : COUNTER_QUARANTINED]++;
    for (unsigned reason = 0; *outcome == EVENT_READY && reason < OP_DROPS; reason++)
        b->counts[COUNTER_OP_NO_CID + reason] += event->dropped[reason];
    if (*outcome != EVENT_REFUSED) {
        b->counts[COUNTER_OP_FILTERED] += event->filtered_ops;
        event_times_note(&b->times, event->frame.time);
    }
    b->frames++;
    b->last_id = ref->id;
    if (b->commands > commands)
        set_mark(b, ref);
    return true;
}

bool batch_retry(struct batch *b, const struct batch_format *f, struct event_encoder *encoder,
                 const struct frame_ref *ref, const uint8_t *frame, struct event *event,
                 const char *dead_letters_key, const char *entry, struct error *why)
{
    batch_begin(b);
    enum event_outcome outcome = append_event(b, f, encoder, ref, frame, event);
    if (b->out.failed)
        error_set(why, "out of memory");
    else if (outcome == EVENT_REFUSED)
        error_set(why, "refused again: %s at byte %zu", event->violation.rule, event->violation.offset);
    else if (outcome == EVENT_FILTERED)
        error_set(why, "the filters leave nothing of it");
    if (b->out.failed || outcome != EVENT_READY)
        return false;
    resp_append_command(&b->out, 3, "XDEL");
    resp_append_bulk(&b->out, dead_letters_key);
    resp_append_bulk(&b->out, entry);
    b->commands++;
    b->is_retry = true;
    return !b->out.failed;
}
