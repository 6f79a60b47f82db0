/* frames.c: a message of the relay, from a peek at it to its place in the ledger. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "ipc/channel.h"
#include "ring/router.h"
#include "master/context.h"

enum {
    /* A relay may begin a little before the cursor that it was given, or send a little twice. What lies
     * further back, or goes on for longer, is of another sequence: those of the network are billions long, and
     * grow by hundreds a second. */
    SEQUENCE_SLACK = 1000,
    /* Seqs have legal gaps, but not of this size between two messages: it is more than an hour of all of the network.
     * One such seq in the wild made consumers that believed it throw away hours of what came after it. */
    IMPLAUSIBLE_JUMP = 10 * 1000 * 1000,
};

/* Nobody's, or nobody wants it, or it is there already: it counts as done at once. */
static bool take_done(struct master *m, const struct frame_peek *peek, size_t consumed)
{
    return ledger_take_done(m->ledger, consumed, peek->has_seq ? peek->seq : 0);
}

static void on_info(struct master *m, const struct frame_peek *peek)
{
    m->infos++;
    bool outdated = peek->name.len == 14 && memcmp(peek->name.ptr, "OutdatedCursor", 14) == 0;
    if (outdated)
        log_error("relay %s: OutdatedCursor: it no longer has all events after cursor %lld; those between that and its "
                  "oldest are lost (%.*s)",
                  relay_host(m->relay), (long long)m->last_seq, (int)peek->message.len,
                  (const char *)peek->message.ptr);
    else
        log_info("relay %s: info %.*s: %.*s", relay_host(m->relay), (int)peek->name.len,
                 (const char *)peek->name.ptr, (int)peek->message.len, (const char *)peek->message.ptr);
}

static void on_error(struct master *m, const struct frame_peek *peek)
{
    char why[ERROR_TEXT_BYTES];
    m->errors++;
    snprintf(why, sizeof why, "the relay says %.*s: %.*s", (int)peek->name.len, (const char *)peek->name.ptr,
             (int)peek->message.len, (const char *)peek->message.ptr);
    /* Where it was asked for no place at all it is an error as any other, or the two would go round without a pause. */
    bool asked = m->has_last_seq && m->last_seq > 0;
    if (asked && peek->name.len == 12 && memcmp(peek->name.ptr, "FutureCursor", 12) == 0) {
        /* Its sequence is not the one that our cursor belongs to. All of it is new: it is read from its beginning. */
        log_error("relay %s: FutureCursor (%.*s): cursor %lld is newer than anything it has: its sequence is another "
                  "one. Beginning with its oldest events",
                  relay_host(m->relay), (int)peek->message.len, (const char *)peek->message.ptr,
                  (long long)m->last_seq);
        master_reset_sequence(m, true);
        return;
    }
    master_reconnect_relay(m, why, false);
}

/* ---- the sequence ---- */

/* On a small host half of all that there is may be less than the usual slack. */
static int64_t slack(const struct master *m)
{
    return m->last_seq / 2 < SEQUENCE_SLACK ? m->last_seq / 2 : SEQUENCE_SLACK;
}

static void count_in(struct master *m, const struct frame_peek *peek)
{
    m->received++;
    traffic_count(m->traffic, peek);
}

static void count_unwanted(struct master *m, bool seen)
{
    if (seen)
        m->own_duplicate++;
    else
        m->own_filtered++;
}

static bool begin_another(struct master *m, size_t consumed)
{
    ledger_skip(m->ledger, consumed);
    master_reset_sequence(m, true);
    return false;
}

/* Not above the last seq: in the stream already, or of another sequence. False: the connection is given up. */
static bool take_behind(struct master *m, const struct frame_peek *peek, size_t consumed)
{
    if (++m->behind_run > SEQUENCE_SLACK) {
        log_error("relay %s: went back from seq %lld to %lld, and %zu messages in a row stayed below: its sequence is "
                  "another one. Beginning with its oldest events",
                  relay_host(m->relay), (long long)m->last_seq, (long long)peek->seq, m->behind_run);
        return begin_another(m, consumed);
    }
    if (m->behind_run == 1)
        log_debug("relay %s: seq %lld after %lld: dropped as a duplicate", relay_host(m->relay), (long long)peek->seq,
                  (long long)m->last_seq);
    count_in(m, peek);
    m->own_duplicate++;
    ledger_skip(m->ledger, consumed);
    return true;
}

void frames_drop_held(struct master *m)
{
    if (m->held_id != 0)
        ledger_drop_held(m->ledger, m->held_id, 0);
    m->held_id = 0;
}

/* The next message decides about the one that is held. */
static void decide_held(struct master *m, int64_t seq)
{
    if (seq > m->held.seq) {
        log_warn("relay %s: seq %lld, %lld above the last, is confirmed by the next", relay_host(m->relay),
                 (long long)m->held.seq, (long long)(m->held.seq - m->last_seq));
        m->last_seq = m->held.seq;
        count_in(m, &m->held);
        if (!m->held_is_seen)
            failover_note_taken(m, &m->held);
        if (m->held_is_wanted) {
            ledger_release(m->ledger, m->held_id);
        } else {
            count_unwanted(m, m->held_is_seen);
            ledger_drop_held(m->ledger, m->held_id, m->held.seq);
        }
    } else {
        log_error("relay %s: seq %lld was none of the sequence, which goes on with %lld after %lld: kept in %s",
                  relay_host(m->relay), (long long)m->held.seq, (long long)seq, (long long)m->last_seq,
                  m->config->dead_letters_key);
        m->rogues++;
        count_in(m, &m->held);
        ledger_condemn(m->ledger, m->held_id, VERDICT_IMPLAUSIBLE);
        ledger_release(m->ledger, m->held_id);
    }
    m->held_id = 0;
}

/* What the first message of a connection tells. False: the connection is given up. */
static bool take_first(struct master *m, const struct frame_peek *peek)
{
    m->is_first = false;
    if (m->has_last_seq && peek->seq < m->last_seq - slack(m)) {
        log_error("relay %s: begins with seq %lld, far below cursor %lld: its sequence is another one. Beginning with "
                  "its oldest events",
                  relay_host(m->relay), (long long)peek->seq, (long long)m->last_seq);
        return false;
    }
    if (!m->has_last_seq && !m->has_saved_cursor)
        master_begin_sequence(m, peek->seq > 0 ? peek->seq - 1 : 0);
    return true;
}

/* ---- routing ---- */

static bool no_room(struct master *m)
{
    log_throttled(&m->strange, LOG_LEVEL_ERROR, "ring: out of memory for another frame, waiting");
    return false;
}

/* What is filtered here no worker sees: where that is nearly all, it alone tells how far behind the network we are. */
static void note_time(struct master *m, const uint8_t *frame, size_t len)
{
    struct slice time;
    int64_t sent_us, now_us = clock_unix_us();
    if (!frame_time(frame, len, &time) || !rfc3339_parse(time.ptr, time.len, &sent_us))
        return;
    m->wants_time = false;
    m->filtered_lag_us = now_us - sent_us;
    m->filtered_at_us = now_us;
}

/* An event: to the worker that its repo belongs to. */
static bool route(struct master *m, const struct frame_peek *peek, const uint8_t *frame, size_t offset, size_t len,
                  size_t consumed)
{
    enum search_verdict verdict = failover_search(m, peek, frame, len);
    if (verdict != SEARCH_TAKE) {
        ledger_skip(m->ledger, consumed);
        if (verdict == SEARCH_RECONNECT)
            master_reconnect_relay(m, "looking further back for the place to begin", true);
        return verdict == SEARCH_SKIP;
    }
    if (peek->has_seq && m->is_first && !take_first(m, peek))
        return begin_another(m, consumed);
    /* A frame whose seq cannot be read tells nothing, but may not overtake the one that is held: that is put aside. */
    if (m->held_id != 0 && (!peek->has_seq || (peek->seq > m->last_seq && peek->seq != m->held.seq)))
        decide_held(m, peek->has_seq ? peek->seq : m->last_seq);
    if (peek->has_seq &&
        ((m->has_last_seq && peek->seq <= m->last_seq) || (m->held_id != 0 && peek->seq == m->held.seq)))
        return take_behind(m, peek, consumed);
    m->behind_run = 0;
    bool nobodys = peek->did.ptr == NULL; /* of an unknown kind; others have one, or were not read at all */
    bool seen = failover_is_duplicate(m, peek), wanted = !nobodys && !seen && filter_passes(m->filter, peek);
    uint16_t partition = nobodys ? 0 : route_partition(peek->did.ptr, peek->did.len);
    if (peek->has_seq && m->has_last_seq && m->last_seq > 0 && peek->seq - m->last_seq > IMPLAUSIBLE_JUMP) {
        log_warn("relay %s: seq %lld is %lld above the last: held until the next one tells whether that is so",
                 relay_host(m->relay), (long long)peek->seq, (long long)(peek->seq - m->last_seq));
        uint64_t id = ledger_hold(m->ledger, offset, len, consumed, peek->seq, partition, peek->kind);
        if (id == 0)
            return no_room(m);
        m->held_id = id;
        m->held = *peek; /* what it points to stays in the ring as long as it is held */
        m->held_is_wanted = wanted;
        m->held_is_seen = seen;
        return true;
    }
    if (!wanted) {
        if (m->wants_time)
            note_time(m, frame, len);
        if (!take_done(m, peek, consumed))
            return no_room(m);
        count_unwanted(m, seen);
    } else if (ledger_take(m->ledger, offset, len, consumed, peek->has_seq ? peek->seq : 0, partition, peek->kind,
                           route_worker(partition, ledger_workers(m->ledger))) == 0) {
        return no_room(m);
    }
    count_in(m, peek);
    if (!seen)
        failover_note_taken(m, peek);
    if (peek->has_seq) {
        m->last_seq = peek->seq;
        m->has_last_seq = true;
    }
    return true;
}

bool frames_take(struct master *m, const uint8_t *frame, size_t offset, size_t len, size_t consumed)
{
    struct frame_peek peek = {.kind = FRAME_UNKNOWN};
    struct violation why;
    if (m->state == MASTER_RESETTING) { /* it is read again, from the beginning */
        ledger_skip(m->ledger, consumed);
        return true;
    }
    if (!frame_peek(frame, len, &peek, &why)) {
        /* It cannot be read as far as its seq: a worker will say why, and keep it with the dead letters. An
         * empty DID stands for it: all such frames go the same way, in order. */
        peek = (struct frame_peek){.kind = FRAME_COMMIT, .did = {(const uint8_t *)"", 0}};
        return route(m, &peek, frame, offset, len, consumed);
    }
    switch (peek.kind) {
    case FRAME_INFO:
        on_info(m, &peek);
        ledger_skip(m->ledger, consumed);
        return true;
    case FRAME_ERROR:
        ledger_skip(m->ledger, consumed);
        on_error(m, &peek);
        return false;
    default:
        dashboard_see(m->dashboard, &peek);
        return route(m, &peek, frame, offset, len, consumed);
    }
}
