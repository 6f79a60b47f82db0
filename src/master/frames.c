/* frames.c: a message of the relay, from a peek at it to its place in the ledger. */
#include "config.h"

#include <string.h>

#include "master/router.h"
#include "master_internal.h"

/* A relay may begin a little before the cursor that it was given. What lies further back is of another
 * sequence: those of the network are billions long, and grow by hundreds a second. */
enum { SEQUENCE_SLACK = 1000 };

/* Nobody's, or nobody wants it: it counts as done at once. */
static bool take_done(struct master *m, const struct frame_peek *peek, size_t consumed)
{
    m->own_filtered++;
    return ledger_take_done(m->ledger, consumed, peek->has_seq ? peek->seq : 0);
}

static void on_info(struct master *m, const struct frame_peek *peek)
{
    m->infos++;
    bool outdated = peek->name.len == 14 && memcmp(peek->name.ptr, "OutdatedCursor", 14) == 0;
    if (outdated)
        log_error("relay %s: OutdatedCursor: it no longer has all events after cursor %lld; those between "
                  "that and its "
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
    if (peek->name.len == 12 && memcmp(peek->name.ptr, "FutureCursor", 12) == 0) {
        /* Its sequence is not the one that our cursor belongs to. All of it is new, so it is read from its
         * beginning. */
        log_error("relay %s: FutureCursor (%.*s): cursor %lld is newer than anything it has: its sequence is "
                  "another one. "
                  "Beginning with its oldest events",
                  relay_host(m->relay), (int)peek->message.len, (const char *)peek->message.ptr,
                  (long long)m->last_seq);
        master_reset_sequence(m, true);
        return;
    }
    relay_reconnect(m->relay, why, false);
}

/* An event: to the worker that its repo belongs to. */
static bool route(struct master *m, const struct frame_peek *peek, size_t offset, size_t len, size_t consumed)
{
    if (peek->has_seq && m->is_first) {
        m->is_first = false;
        if (m->has_last_seq && peek->seq < m->last_seq - SEQUENCE_SLACK) {
            log_error("relay %s: begins with seq %lld, far below cursor %lld: its sequence is another one. "
                      "Beginning with its "
                      "oldest events",
                      relay_host(m->relay), (long long)peek->seq, (long long)m->last_seq);
            ledger_skip(m->ledger, consumed);
            master_reset_sequence(m, true);
            return false;
        }
        if (!m->has_last_seq && !m->has_saved_cursor)
            master_begin_sequence(m, peek->seq > 0 ? peek->seq - 1 : 0);
    }
    if (peek->has_seq && m->has_last_seq && peek->seq <= m->last_seq) {
        m->received++;
        figures_count(m->figures, peek);
        m->own_duplicate++;
        ledger_skip(m->ledger, consumed);
        return true;
    }
    bool taken;
    if ((peek->did.ptr == NULL && peek->kind == FRAME_UNKNOWN) || !filter_passes(m->filter, peek)) {
        taken = take_done(m, peek, consumed);
        m->own_filtered -= !taken;
    } else {
        uint16_t partition = route_partition(peek->did.ptr, peek->did.len);
        unsigned worker = route_worker(partition, ledger_workers(m->ledger));
        taken = ledger_take(m->ledger, offset, len, consumed, peek->has_seq ? peek->seq : 0, partition,
                            peek->kind, worker) != 0;
    }
    if (!taken) {
        log_throttled(&m->strange, LOG_LEVEL_ERROR, "ring: out of memory for another frame, waiting");
        return false;
    }
    m->received++;
    figures_count(m->figures, peek);
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
        return route(m, &peek, offset, len, consumed);
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
        return route(m, &peek, offset, len, consumed);
    }
}
