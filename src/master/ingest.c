#include "config.h"

#include "master/ingest.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "base/verdict.h"
#include "master/context.h"
#include "ring/router.h"

_Static_assert((int)KIND_COMMIT == (int)FRAME_COMMIT && (int)KIND_ACCOUNT == (int)FRAME_ACCOUNT, "in the same order");

enum { SAMPLE_FRAMES = 64 }; /* of so many frames the time of one is read, and of one a second */

static const char *name_of(const struct master *m)
{
    return relay_host(m->relay);
}

static bool read_time(const uint8_t *frame, size_t len, int64_t *time_us)
{
    struct slice text;
    return frame_time(frame, len, &text) && rfc3339_parse(text.ptr, text.len, time_us);
}

/* While the place to begin at is looked for, the first events of a connection are judged by their times. */
static enum search_verdict judge_search(struct master *m, const struct frame_peek *peek, const uint8_t *frame,
                                        size_t len)
{
    struct optional time_us = {0};
    if (!failover_is_searching(m->failover))
        return SEARCH_TAKE;
    time_us.is_known = read_time(frame, len, &time_us.value);
    enum search_verdict verdict = failover_judge(m->failover, peek, time_us);
    if (!failover_is_searching(m->failover))
        log_info("relay %s: beginning with seq %lld", name_of(m), (long long)peek->seq);
    return verdict;
}

static enum event_kind kind_of(const struct frame_peek *peek)
{
    switch (peek->kind) {
    case FRAME_COMMIT:
        return peek->did.len > 0 ? KIND_COMMIT : KIND_UNKNOWN; /* a frame that cannot be read is a commit of nobody */
    case FRAME_SYNC:
        return KIND_SYNC;
    case FRAME_IDENTITY:
        return KIND_IDENTITY;
    case FRAME_ACCOUNT:
        return KIND_ACCOUNT;
    default:
        return KIND_UNKNOWN;
    }
}

static void count_event(struct master *m, const struct frame_peek *peek)
{
    m->totals.received++;
    traffic_count(m->traffic, kind_of(peek), peek->path.ptr, peek->path.len);
}

static void note_taken(struct master *m, const struct sequence_input *in)
{
    count_event(m, in->peek);
    if (!in->is_duplicate)
        failover_note_taken(m->failover, in->peek);
}

static void count_done(struct master *m, bool is_duplicate)
{
    if (is_duplicate)
        m->totals.duplicate++;
    else
        m->totals.filtered++;
}

/* ---- the frame that is held ---- */

void ingest_drop_held(struct master *m)
{
    if (m->sequence.held.id != 0)
        ledger_drop_held(m->ledger, m->sequence.held.id, 0);
    sequence_forget_held(&m->sequence);
}

void ingest_want_time(struct master *m) { m->totals.wants_time = m->totals.wants_taken_time = true; }

int64_t ingest_newest_us(struct master *m)
{
    struct intake_totals *t = &m->totals;
    if (t->waiting.id != 0 && ledger_is_committed(m->ledger, t->waiting.id)) {
        bool is_last = ledger_is_committed(m->ledger, t->latest.id);
        t->newest_us = is_last ? t->latest.us : t->waiting.us;
        t->waiting = t->latest;
        if (is_last)
            t->waiting.id = 0;
    }
    return t->newest_us;
}

void ingest_discard(struct master *m)
{
    ingest_newest_us(m);
    m->totals.waiting.id = 0;
    m->totals.received -= ledger_reset(m->ledger);
}

static void put_held_aside(struct master *m, const struct frame_peek *next)
{
    const struct held_frame *held = &m->sequence.held;
    long long last = (long long)m->sequence.last.value;
    log_error(
        "relay %s: seq %lld does not belong to this relay's sequence, which goes on with %lld after %lld: it goes "
        "to %s",
        name_of(m), (long long)held->seq, next->has_seq ? (long long)next->seq : last, last,
        m->config->dead_letters_key);
    m->totals.implausible++;
    ledger_condemn(m->ledger, held->id, VERDICT_IMPLAUSIBLE);
    ledger_release(m->ledger, held->id);
}

static void take_held(struct master *m)
{
    const struct held_frame *held = &m->sequence.held;
    log_warn("relay %s: the next message confirms seq %lld, %lld above the last", name_of(m), (long long)held->seq,
             (long long)(held->seq - m->sequence.last.value));
    if (!held->is_duplicate)
        failover_note_taken(m->failover, &held->peek);
    if (held->is_wanted && !held->is_duplicate) {
        ledger_release(m->ledger, held->id);
    } else {
        count_done(m, held->is_duplicate);
        ledger_drop_held(m->ledger, held->id, held->seq);
    }
}

static void settle_held(struct master *m, enum held_outcome outcome, const struct frame_peek *next)
{
    if (outcome == HELD_STAYS)
        return;
    count_event(m, &m->sequence.held.peek);
    if (outcome == HELD_CONFIRMED)
        take_held(m);
    else
        put_held_aside(m, next);
}

/* ---- what the log tells ---- */

static const char *said(struct text *t, struct slice s) { return text_take(t, s.ptr, s.len); }

static void log_info_frame(const struct master *m, const struct frame_peek *peek, bool is_outdated)
{
    struct text name, message;
    if (is_outdated)
        log_error("relay %s: OutdatedCursor: it no longer has all events after cursor %lld; those between that and its "
                  "oldest are lost (%s)", name_of(m), (long long)m->sequence.last.value, said(&message, peek->message));
    else
        log_info("relay %s: info %s: %s", name_of(m), said(&name, peek->name), said(&message, peek->message));
}

static void log_reset(const struct master *m, const struct frame_peek *peek, enum sequence_reason reason)
{
    long long last = (long long)m->sequence.last.value, seq = (long long)peek->seq;
    char what[ERROR_TEXT_BYTES];
    struct text message;
    if (reason == BECAUSE_FUTURE_CURSOR)
        snprintf(what, sizeof what, "FutureCursor (%s): cursor %lld is newer than anything it has",
                 said(&message, peek->message), last);
    else if (reason == BECAUSE_FAR_BELOW)
        snprintf(what, sizeof what, "begins with seqs up to %lld, far below cursor %lld", seq, last);
    else
        snprintf(what, sizeof what, "went back from seq %lld to %lld, and %zu messages in a row stayed below", last,
                 seq, m->sequence.behind.count + 1);
    log_error("relay %s: %s: its sequence is another one. Beginning with its oldest events", name_of(m), what);
}

/* ---- carrying a decision out ---- */

static void skip(struct master *m, const struct frame_peek *peek, enum sequence_reason reason)
{
    if (reason == BECAUSE_BEHIND) {
        if (m->sequence.behind.count == 0)
            log_debug("relay %s: seq %lld after %lld: dropped as a duplicate", name_of(m), (long long)peek->seq,
                      (long long)m->sequence.last.value);
        count_event(m, peek);
        m->totals.duplicate++;
    } else if (reason != BECAUSE_SEARCHING) {
        m->totals.infos++;
        log_info_frame(m, peek, reason == BECAUSE_OUTDATED_CURSOR);
    }
}

/* The workers do not see filtered frames. Where the filter rejects nearly everything, their times alone tell how far
 * behind the network this is. */
static void note_time(struct master *m, const uint8_t *frame, size_t len)
{
    int64_t sent_us, now_us = clock_unix_us();
    if (!m->totals.wants_time || !read_time(frame, len, &sent_us))
        return;
    m->totals.wants_time = false;
    m->totals.filtered_lag_us = now_us - sent_us;
    m->totals.filtered_at_us = now_us;
}

/* One sample waits for its commit while newer ones take the place of the latest. */
static void sample_time(struct master *m, const uint8_t *frame, size_t len, uint64_t id)
{
    struct intake_totals *t = &m->totals;
    int64_t sent_us, now_us;
    if (!read_time(frame, len, &sent_us))
        return;
    ingest_newest_us(m);
    now_us = clock_unix_us();
    t->wants_taken_time = false;
    t->latest = (struct time_sample){.id = id, .us = sent_us < now_us ? sent_us : now_us};
    if (t->waiting.id == 0)
        t->waiting = t->latest;
}

/* The cursor in front of the first event of a sequence is saved before anything is written, so that a start after a
 * crash knows where the sequence began. */
static void save_first_cursor(struct master *m, int64_t seq)
{
    pool_hold(m->pool, true); /* until transition_on_cursor_saved(); checkpoint_save() tries again */
    store_save_cursor(m->store, seq > 0 ? seq - 1 : 0);
}

static struct relay_answer reconnect(struct master *m, const struct frame_peek *peek, enum sequence_reason reason)
{
    if (reason == BECAUSE_SEARCHING)
        return (struct relay_answer){RELAY_RECONNECT, true, failover_search_says(m->failover)};
    struct text name, message;
    error_set(&m->totals.reason, "the relay says %s: %s", said(&name, peek->name), said(&message, peek->message));
    return (struct relay_answer){RELAY_RECONNECT, false, m->totals.reason.text};
}

/* A frame that the peek cannot read as far as its seq goes to a worker, which says why and puts it with the dead
 * letters. An empty DID stands for it: all such frames go the same way, in order. */
static struct frame_peek peek_at(const uint8_t *frame, size_t len)
{
    struct frame_peek peek = {.kind = FRAME_UNKNOWN};
    struct violation ignored;
    if (!frame_peek(frame, len, &peek, &ignored))
        peek = (struct frame_peek){.kind = FRAME_COMMIT, .did = {(const uint8_t *)"", 0}};
    return peek;
}

/* Where a message lies in the ring's window. */
struct place {
    const uint8_t *frame;
    size_t offset, len, consumed;
};

/* The one place where ring, ledger and relay learn of a decision. */
static struct relay_answer carry_out(struct master *m, const struct place *at, const struct sequence_input *in,
                                     const struct sequence_decision *d)
{
    const struct frame_peek *peek = in->peek;
    const uint8_t kind = (uint8_t)peek->kind;
    const int64_t seq = peek->has_seq ? peek->seq : 0;
    uint64_t held = 0, id;
    switch (d->action) {
    case SEQUENCE_WAIT:
        log_throttled(&m->totals.no_room, LOG_LEVEL_ERROR, "ring: out of memory for another frame, waiting");
        return (struct relay_answer){.verdict = RELAY_WAIT};
    case SEQUENCE_RESET:
        log_reset(m, peek, d->reason);
        ledger_skip(m->ledger, at->consumed);
        return (struct relay_answer){.verdict = RELAY_STOP};
    case SEQUENCE_GO_BACK:
        sequence_apply(&m->sequence, in, d, 0);
        log_error("relay %s: seq %lld was wrong: the relay goes on with seqs up to %lld. Reading again behind cursor "
                  "%lld", name_of(m), (long long)m->sequence.wrong.value, (long long)seq,
                  (long long)m->sequence.back.value);
        ledger_skip(m->ledger, at->consumed);
        return (struct relay_answer){.verdict = RELAY_STOP};
    case SEQUENCE_RECONNECT:
        ledger_skip(m->ledger, at->consumed);
        return reconnect(m, peek, d->reason);
    case SEQUENCE_SKIP:
        skip(m, peek, d->reason);
        ledger_skip(m->ledger, at->consumed);
        break;
    case SEQUENCE_HOLD:
        log_warn("relay %s: seq %lld is %lld above the last: held until the next one tells whether that is so",
                 name_of(m), (long long)seq, (long long)(seq - m->sequence.last.value));
        held = ledger_hold(m->ledger, at->offset, at->len, at->consumed, seq, d->partition, kind);
        break;
    case SEQUENCE_DONE:
        note_time(m, at->frame, at->len);
        ledger_take_done(m->ledger, at->consumed, seq);
        count_done(m, d->reason == BECAUSE_DUPLICATE);
        note_taken(m, in);
        break;
    case SEQUENCE_TAKE:
        id = ledger_take(m->ledger, at->offset, at->len, at->consumed, seq, d->partition, kind,
                         route_worker(d->partition, ledger_workers(m->ledger)));
        if (m->totals.wants_taken_time || id % SAMPLE_FRAMES == 0)
            sample_time(m, at->frame, at->len, id);
        note_taken(m, in);
        break;
    }
    sequence_apply(&m->sequence, in, d, held);
    return (struct relay_answer){.verdict = RELAY_TAKEN};
}

struct relay_answer ingest_take(struct master *m, const uint8_t *frame, size_t offset, size_t len, size_t consumed)
{
    const struct place at = {frame, offset, len, consumed};
    if (m->course.state == MASTER_RESETTING) { /* it is read again, from the beginning */
        ledger_skip(m->ledger, consumed);
        return (struct relay_answer){.verdict = RELAY_TAKEN};
    }
    const struct frame_peek peek = peek_at(frame, len);
    const struct sequence_input in = {
        .peek = &peek,
        .search = judge_search(m, &peek, frame, len),
        .is_duplicate = failover_is_duplicate(m->failover, &peek) ||
                        (peek.has_seq && store_has_inherited(m->store, peek.seq)),
        .is_wanted = peek.did.ptr != NULL && filter_passes(m->filter, &peek),
        .has_room = ledger_has_room(m->ledger),
    };
    const struct sequence_decision d = sequence_decide(&m->sequence, &in);
    dashboard_see(m->dashboard, &peek);
    m->totals.errors += peek.kind == FRAME_ERROR;
    settle_held(m, d.held, &peek);
    if (d.begins)
        save_first_cursor(m, peek.seq);
    return carry_out(m, &at, &in, &d);
}
