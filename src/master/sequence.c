/* sequence.c: where in the relay's sequence this is: the cursor, and what is begun anew.
 *
 *   RUNNING ──sequence_rewind()──▶ REWINDING (Redis has lost data: relay and workers are dropped)
 *      ▲                               └──▶ store_begin() at the cursor that Redis still has ──┐
 *      ├───────────────────────────────────────────────────────────────────────────────────────┘
 *   RUNNING ──master_reset_sequence(), master_set_cursor(), relays.c──▶ RESETTING (what is in hand is written)
 *      ▲                               └──▶ store_begin…() with other marks ──┐
 *      └──────────────────────────────────────────────────────────────────────┘ */
#include "config.h"

#include <inttypes.h>

#include "base/clock.h"
#include "master/master.h"
#include "master/context.h"
#include "master/commands/deferred.h"

struct store_keys master_store_keys(const struct master *m)
{
    const struct relay_entry *relay = relay_list_current(&m->relays);
    return (struct store_keys){relay->cursor_key, relay->progress_key, relay->url.host};
}

/* ---- the cursor ---- */

bool master_cursor(const struct master *m, int64_t *cursor)
{
    if (ledger_cursor(m->ledger, cursor))
        return true;
    *cursor = m->has_saved_cursor ? m->saved_cursor : m->first_cursor;
    return m->has_saved_cursor || m->has_first;
}

void sequence_save(struct master *m)
{
    int64_t cursor;
    if (master_cursor(m, &cursor) && !(m->has_saved_cursor && m->saved_cursor == cursor))
        store_save_cursor(m->store, cursor);
    else
        store_check_owner(m->store); /* who has nothing to write is taken over too */
}

void sequence_began_at(struct master *m, int64_t cursor)
{
    m->has_began = true;
    m->began = cursor;
}

static void start_reading(struct master *m)
{
    unsigned workers = config_worker_count(m->config);
    m->state = MASTER_RUNNING;
    ledger_reroute(m->ledger, workers);
    pool_start(m->pool, workers, relay_list_current(&m->relays)->progress_key);
    if (!m->is_paused)
        relay_start(m->relay);
    reload_apply(m);
    deferred_check_all(m);
}

void sequence_begun(void *arg, struct optional saved)
{
    struct master *m = arg;
    bool found = saved.is_known;
    int64_t cursor = saved.value;
    if (m->state == MASTER_RESETTING && m->is_changing_relay) {
        failover_switched(m, found, cursor);
        start_reading(m);
        return;
    }
    if (m->state == MASTER_RESETTING) {
        if (found) { /* an operator has set it */
            m->has_last_seq = m->has_saved_cursor = true;
            m->last_seq = m->saved_cursor = cursor;
            sequence_began_at(m, cursor);
        }
        start_reading(m);
        return;
    }
    if (m->state == MASTER_REWINDING && !found && m->has_last_seq) {
        /* Redis has nothing at all: on from what this process holds. Or it is as it was before the first cursor was
         * saved: then all that this process has written is gone. */
        found = true;
        cursor = store_knows_relay(m->store) && m->has_began ? m->began : m->last_seq;
    }
    if (found) {
        log_info("cursor %" PRId64 " read from %s", cursor, relay_list_current(&m->relays)->cursor_key);
        m->has_last_seq = m->has_saved_cursor = true;
        m->last_seq = m->saved_cursor = cursor;
        if (m->state == MASTER_STARTING)
            sequence_began_at(m, cursor);
    } else {
        m->asks_oldest = m->config->start == CONFIG_START_OLDEST;
        log_info("no cursor in %s: beginning with %s events", relay_list_current(&m->relays)->cursor_key,
                 m->asks_oldest ? "the oldest" : "live");
    }
    if (m->state == MASTER_STARTING || m->state == MASTER_REWINDING)
        start_reading(m);
}

/* Redis has lost what was committed: all is begun anew at the cursor that it still has; its marks tell what
 * is there. */
void sequence_rewind(struct master *m)
{
    int64_t cursor;
    if (m->state != MASTER_RUNNING)
        return;
    log_error("redis has lost data: reading the relay again from the cursor that is left");
    m->state = MASTER_REWINDING;
    m->rewinds++;
    if (master_cursor(m, &cursor)) {
        m->last_seq = cursor;
        m->has_last_seq = true;
    }
    relay_stop(m->relay);
    pool_abandon(m->pool);
}

/* What was taken may be what Redis has lost. And what is taken from now on begins later than the other relays' cursors,
 * which are as old as what is left: rather twice than never. */
void sequence_forget_seen(struct master *m)
{
    if (m->dedup == NULL)
        return;
    dedup_clear(m->dedup);
    dedup_begin_at(m->dedup, clock_unix_us());
}

/* Relay and workers are gone: what they had in hand is read again. */
void sequence_rewind_when_quiet(struct master *m)
{
    if (relay_state(m->relay) != RELAY_STOPPED || !pool_is_gone(m->pool))
        return;
    m->received -= ledger_reset(m->ledger);
    known_marks_forget(m->known);
    sequence_forget_seen(m);
    struct store_keys keys = master_store_keys(m);
    store_begin(m->store, &keys, true);
}

/* ---- another sequence, or another place in it ---- */

void master_begin_sequence(struct master *m, int64_t cursor)
{
    m->has_first = true;
    m->first_cursor = cursor;
    sequence_began_at(m, cursor);
    pool_hold(m->pool, true);
    store_save_cursor(m->store, cursor); /* sequence_saved() lets go; where Redis is away, on_save() tries again */
}

void master_reset_sequence(struct master *m, bool from_oldest)
{
    if (m->state != MASTER_RUNNING)
        return;
    if (m->config->on_sequence_reset == CONFIG_SEQUENCE_STOP) {
        log_error("on_sequence_reset = stop: stopping. To go on with the new sequence: on_sequence_reset = follow, or "
                  "delete %s",
                  relay_list_current(&m->relays)->cursor_key);
        m->exit_status = MASTER_EXIT_SEQUENCE;
        master_stop(m, "the relay's sequence is another one");
        return;
    }
    frames_drop_held(m);
    m->state = MASTER_RESETTING;
    m->resets++;
    m->asks_oldest = from_oldest;
    m->has_new_cursor = false;
    master_stop_relay(m);
}

void master_set_cursor(struct master *m, int64_t cursor)
{
    m->state = MASTER_RESETTING;
    m->asks_oldest = false;
    m->has_new_cursor = cursor >= 0;
    m->new_cursor = cursor;
    m->search.is_on = false;
    if (m->dedup != NULL)
        dedup_clear(m->dedup); /* what comes again is to be written again */
    sequence_reset_when_quiet(m);
}

/* The relay is stopped: first what the old sequence left in the ring is written. */
void sequence_reset_when_quiet(struct master *m)
{
    if (relay_state(m->relay) != RELAY_STOPPED)
        return;
    if (!pool_is_gone(m->pool) || ledger_record_count(m->ledger) > 0) {
        pool_drain(m->pool, true);
        return;
    }
    ledger_reset(m->ledger);
    known_marks_forget(m->known);
    m->has_last_seq = m->has_saved_cursor = m->has_first = m->has_began = false;
    pool_hold(m->pool, false);
    if (m->is_changing_relay) {
        failover_switch(m);
        return;
    }
    failover_take_new_list(m);
    struct store_keys keys = master_store_keys(m);
    if (m->has_new_cursor)
        store_begin_at(m->store, &keys, m->new_cursor);
    else
        store_begin_anew(m->store, &keys, m->asks_oldest);
}

bool sequence_may_drop(void *arg)
{
    struct master *m = arg;
    if (m->config->on_sequence_reset == CONFIG_SEQUENCE_FOLLOW)
        return true;
    log_error("the saved cursor and marks belong to another relay, and on_sequence_reset = stop: stopping. To go on "
              "with this relay: on_sequence_reset = follow, or delete %s and %s",
              relay_list_current(&m->relays)->cursor_key, relay_list_current(&m->relays)->progress_key);
    m->exit_status = MASTER_EXIT_SEQUENCE;
    master_end_loop(m);
    return false;
}

void sequence_saved(void *arg, int64_t cursor)
{
    struct master *m = arg;
    int64_t now;
    pool_hold(m->pool, false); /* also where the sequence has ended meanwhile: what it left is to be written */
    if (m->state == MASTER_RESETTING)
        return; /* of the sequence that has ended */
    m->saved_cursor = cursor;
    m->has_saved_cursor = true;
    m->has_first = false;
    if (m->state == MASTER_STOPPING && m->workers_left && master_cursor(m, &now) && now == cursor)
        master_end_loop(m);
    else if (m->state == MASTER_STOPPING && m->workers_left)
        store_save_cursor(m->store, now);
    deferred_check_all(m);
}
