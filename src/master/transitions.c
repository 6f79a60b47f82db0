#include "config.h"

#include "master/transitions.h"

#include <inttypes.h>

#include "base/clock.h"
#include "master/checkpoint.h"
#include "master/context.h"
#include "master/exit_code.h"
#include "master/ingest.h"
#include "master/service.h"

static const char *const state_names[] = {"starting", "running", "rewinding", "resetting", "stopping"};

const char *master_state_name(const struct master *m)
{
    return master_is_running(m) && m->course.is_paused ? "paused" : state_names[m->course.state];
}

/* The one place where the state changes. */
static void enter(struct master *m, enum master_state state)
{
    log_debug("master: %s -> %s", state_names[m->course.state], state_names[state]);
    m->course.state = state;
}

void transition_end(struct master *m) { event_base_loopbreak(m->base); }

/* ---- running ---- */

static void start_workers(struct master *m, unsigned workers)
{
    pool_start(m->pool, workers, failover_current(m->failover)->progress_key);
}

static void run(struct master *m)
{
    unsigned workers = config_worker_count(m->config);
    bool is_saved = checkpoint_is_saved(m);
    enter(m, MASTER_RUNNING);
    ledger_reroute(m->ledger, workers);
    pool_hold(m->pool, !is_saved); /* a start after a crash must find the cursor in front of what is written */
    if (!is_saved)
        checkpoint_save(m);
    start_workers(m, workers);
    if (!m->course.is_paused)
        relay_start(m->relay);
}

void transition_pause(struct master *m)
{
    if (!m->course.is_paused)
        log_info("relay %s: paused by the operator", relay_host(m->relay));
    m->course.is_paused = true;
    /* In other states the relay is stopped already, and is not started again. */
    if (master_is_running(m) && relay_state(m->relay) != RELAY_STOPPED)
        relay_stop(m->relay);
}

void transition_resume(struct master *m)
{
    if (m->course.is_paused)
        log_info("relay %s: resumed by the operator", relay_host(m->relay));
    m->course.is_paused = false;
    /* Else the relay starts when it is closed, or when the state is over. */
    if (master_is_running(m) && relay_state(m->relay) == RELAY_STOPPED)
        relay_start(m->relay);
}

/* ---- where to begin, as the store has found it ---- */

static void begin_at(struct master *m, struct optional cursor)
{
    if (!cursor.is_known)
        return;
    sequence_continue_at(&m->sequence, cursor.value);
    sequence_begin_at(&m->sequence, cursor.value);
}

/* The cursor of the relay that is read from now on; unknown: it has none. */
static void begin_relay(struct master *m, struct optional cursor)
{
    const char *name = failover_current(m->failover)->name;
    sequence_ask_oldest(&m->sequence, false);
    switch (failover_begin(m->failover, cursor.is_known)) {
    case FAILOVER_AT_CURSOR:
        log_info("relay %s: going on at its own cursor %" PRId64, name, cursor.value);
        break;
    case FAILOVER_SEARCHING:
        log_info("relay %s: it has no cursor yet: looking for where its events are as old as the last one written",
                 name);
        break;
    case FAILOVER_WITH_OLDEST:
        sequence_ask_oldest(&m->sequence, true);
        log_warn("relay %s: it has no cursor yet, and nothing was written: beginning with its oldest events", name);
        break;
    case FAILOVER_WITH_LIVE:
        log_warn("relay %s: it has no cursor yet, and nothing was written: beginning with live events", name);
    }
    begin_at(m, cursor);
}

static void begin_sequence(struct master *m, struct optional cursor)
{
    const char *key = failover_current(m->failover)->cursor_key;
    /* Redis has nothing at all: go on from what this process holds. If Redis is as it was before the first cursor was
     * saved, all that this process has written is gone. */
    if (m->course.state == MASTER_REWINDING && !cursor.is_known && m->sequence.last.is_known) {
        cursor = store_knows_relay(m->store) && m->sequence.begun.is_known ? m->sequence.begun : m->sequence.last;
        log_info("no cursor in %s: going on at %" PRId64 ", which this process holds", key, cursor.value);
        sequence_continue_unsaved(&m->sequence, cursor.value);
        return;
    }
    if (cursor.is_known) {
        log_info("cursor %" PRId64 " read from %s", cursor.value, key);
        sequence_continue_at(&m->sequence, cursor.value);
        if (m->course.state == MASTER_STARTING)
            sequence_begin_at(&m->sequence, cursor.value);
        return;
    }
    bool oldest = m->config->start == CONFIG_START_OLDEST;
    sequence_ask_oldest(&m->sequence, oldest);
    log_info("no cursor in %s: beginning with %s events", key, oldest ? "the oldest" : "live");
}

bool transition_on_begun(struct master *m, struct optional cursor)
{
    if (m->course.state == MASTER_RESETTING && m->course.goal == RESET_RELAY)
        begin_relay(m, cursor);
    else if (m->course.state == MASTER_RESETTING)
        begin_at(m, cursor); /* an operator has set it */
    else
        begin_sequence(m, cursor);
    if (master_is_running(m) || m->course.state == MASTER_STOPPING)
        return false;
    run(m);
    return true;
}

bool transition_may_drop(struct master *m)
{
    const struct relay_entry *relay = failover_current(m->failover);
    if (m->config->on_sequence_reset == CONFIG_SEQUENCE_FOLLOW)
        return true;
    log_error("the saved cursor and marks belong to another relay, and on_sequence_reset = stop: stopping. To go on "
              "with this relay: on_sequence_reset = follow, or delete %s and %s",
              relay->cursor_key, relay->progress_key);
    m->course.exit_status = MASTER_EXIT_SEQUENCE;
    transition_end(m);
    return false;
}

/* ---- rewinding: Redis has lost what was committed ---- */

/* Everything begins anew at the cursor that Redis still has; its marks tell what is there. */
static void rewind_sequence(struct master *m)
{
    log_error("redis has lost data: reading the relay again from the cursor that is left");
    enter(m, MASTER_REWINDING);
    m->course.rewinds++;
    struct optional cursor = checkpoint_cursor(m);
    if (cursor.is_known)
        sequence_go_back_to(&m->sequence, cursor.value);
    relay_stop(m->relay);
    pool_abandon(m->pool);
}

/* When relay and workers are gone: what they had in hand is read again. */
static void rewind_when_quiet(struct master *m)
{
    if (relay_state(m->relay) != RELAY_STOPPED || !pool_is_gone(m->pool))
        return;
    struct store_keys keys = checkpoint_keys(m);
    ingest_discard(m);
    known_marks_forget(m->known);
    failover_forget_taken(m->failover);
    store_begin(m->store, &keys, true);
}

void transition_on_data_lost(struct master *m)
{
    switch (m->course.state) {
    case MASTER_STOPPING:
        if (!m->course.cursor_is_void)
            log_error("redis has lost data: the cursor is not saved, the next start reads again what is lost");
        m->course.cursor_is_void = true;
        transition_end(m);
        break;
    case MASTER_RESETTING: /* the loss concerns a sequence that has ended, or a relay that is not read now */
        if (m->sequence.back.is_known) { /* or not: the wrong seq will be met again */
            sequence_forget_back(&m->sequence);
            rewind_sequence(m);
            break;
        }
        known_marks_forget(m->known);
        failover_forget_taken(m->failover);
        pool_hold(m->pool, false); /* the cursor that it waits for is of the sequence that has ended */
        if (m->course.goal == RESET_RELAY) {
            log_error("redis has lost data of the relay that is left: it is read again when that relay is");
            m->course.discards = true; /* the rest would raise the marks above what is lost */
            pool_abandon(m->pool);
        } else if (!store_is_taking_slots(m->store)) {
            log_error("redis has lost data of the sequence that has ended: it cannot be read again");
            if (ledger_record_count(m->ledger) > 0)
                store_take_slots(m->store); /* they may be an earlier owner's again: workers could not write the rest */
        }
        break;
    case MASTER_RUNNING:
        rewind_sequence(m);
        break;
    case MASTER_STARTING:
    case MASTER_REWINDING: /* what Redis holds is about to be read anyway */
        break;
    }
}

/* ---- resetting: another sequence, or another place in it ---- */

static void begin_reset(struct master *m, enum reset_goal goal)
{
    enter(m, MASTER_RESETTING);
    m->course.goal = goal;
    m->course.discards = false;
}

/* The relay is stopped: the workers write what the old sequence left in the ring, and then all of it is forgotten. */
static void reset_when_quiet(struct master *m)
{
    if (relay_state(m->relay) != RELAY_STOPPED)
        return;
    if (m->course.discards && pool_is_gone(m->pool))
        ingest_discard(m);
    bool is_written = ledger_record_count(m->ledger) == 0;
    if (!is_written && !m->course.discards && store_is_taking_slots(m->store))
        return; /* transition_on_slots_taken() goes on: nobody may write before */
    if (!is_written || !pool_is_gone(m->pool)) {
        pool_drain(m->pool, true);
        return;
    }
    ledger_reset(m->ledger);
    known_marks_forget(m->known);
    sequence_reset(&m->sequence);
    if (m->course.goal == RESET_RELAY)
        failover_select(m->failover, m->course.wish, ingest_newest_us(m), clock_monotonic_ms());
    else
        failover_take_new_list(m->failover);
    struct store_keys keys = checkpoint_keys(m);
    if (m->course.goal == RESET_RELAY)
        store_begin_relay(m->store, &keys);
    else if (m->course.goal == RESET_CURSOR && m->course.cursor.is_known)
        store_begin_at(m->store, &keys, m->course.cursor.value);
    else
        store_begin_anew(m->store, &keys, m->sequence.asks_oldest);
}

void transition_set_cursor(struct master *m, struct optional cursor)
{
    begin_reset(m, RESET_CURSOR);
    m->course.cursor = cursor;
    sequence_ask_oldest(&m->sequence, false);
    failover_on_cursor_set(m->failover); /* what comes again is to be written again */
    reset_when_quiet(m);
}

void transition_change_relay(struct master *m, struct failover_wish wish)
{
    begin_reset(m, RESET_RELAY);
    m->course.wish = wish;
    relay_stop(m->relay);
}

/* ---- stopping ---- */

static bool begin_stop(struct master *m, const char *why)
{
    const int64_t ms = m->config->shutdown_timeout;
    const struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    bool running = master_is_running(m) || (m->course.state == MASTER_RESETTING && !pool_is_gone(m->pool));
    log_info("%s: stopping", why);
    service_stopping();
    enter(m, MASTER_STOPPING);
    if (running)
        evtimer_add(m->events.give_up, &patience);
    else
        transition_end(m); /* nothing was begun */
    return running;
}

static void stop_when_done(struct master *m)
{
    if (m->course.cursor_is_void)
        return;
    struct optional cursor = checkpoint_cursor(m);
    dashboard_end(m->dashboard, relay_shown(m->relay), cursor);
    if (cursor.is_known)
        store_save_cursor(m->store, cursor.value); /* transition_on_cursor_saved() goes on, or the time runs out */
    else
        transition_end(m);
}

/* A drain for a reload may be under way: it becomes one for good. */
static void stop_workers_that_drain(struct master *m)
{
    if (!pool_is_draining(m->pool))
        return;
    if (!pool_is_gone(m->pool)) {
        pool_drain(m->pool, true);
        return;
    }
    /* Between two sets of workers the slots are not taken yet: a worker that has partitions of another one now must not
     * write before. The next start reads again what is in the ring. */
    m->course.workers_left = true;
    stop_when_done(m);
}

void transition_stop(struct master *m, const char *why)
{
    if (m->course.state == MASTER_STOPPING || !begin_stop(m, why))
        return;
    relay_stop(m->relay);
    stop_workers_that_drain(m);
}

void transition_reset(struct master *m, bool from_oldest)
{
    if (!master_is_running(m))
        return;
    if (m->config->on_sequence_reset == CONFIG_SEQUENCE_STOP) {
        log_error("on_sequence_reset = stop: stopping. To go on with the new sequence: on_sequence_reset = follow, or "
                  "delete %s", failover_current(m->failover)->cursor_key);
        m->course.exit_status = MASTER_EXIT_SEQUENCE;
        begin_stop(m, "the relay's sequence is another one");
        stop_workers_that_drain(m);
        return;
    }
    ingest_drop_held(m);
    begin_reset(m, RESET_SEQUENCE);
    m->course.resets++;
    sequence_ask_oldest(&m->sequence, from_oldest);
}

void transition_leave_sequence(struct master *m)
{
    if (!m->sequence.back.is_known) {
        transition_reset(m, true);
    } else if (master_is_running(m)) {
        ingest_drop_held(m);
        begin_reset(m, RESET_CURSOR);
        m->course.cursor = m->sequence.back;
        sequence_ask_oldest(&m->sequence, false);
    } else {
        sequence_forget_back(&m->sequence);
    }
}

/* A second firehosed on the same keys has fenced our workers, and reads on where they ended. Nothing is saved any more:
 * the cursor is the other's now. */
void transition_on_taken_over(struct master *m)
{
    if (m->course.exit_status != MASTER_EXIT_TAKEN_OVER)
        log_error("another firehosed has taken over %s and the other keys: leaving the work to it",
                  m->config->stream_key);
    m->course.exit_status = MASTER_EXIT_TAKEN_OVER;
    m->course.cursor_is_void = true;
    pool_kill(m->pool);
    transition_end(m);
}

void transition_give_up(struct master *m)
{
    log_warn("shutdown_timeout: %zu frames are not in Redis yet; they are read again after the next start",
             ledger_record_count(m->ledger));
    pool_kill(m->pool);
    transition_end(m);
}

void transition_tick(struct master *m)
{
    if (m->course.state == MASTER_STOPPING && m->course.workers_left)
        stop_when_done(m); /* Redis may have come back */
}

/* ---- what the parts tell ---- */

void transition_on_slots_taken(struct master *m)
{
    if (!master_is_running(m) && m->course.state != MASTER_RESETTING)
        return;
    start_workers(m, ledger_workers(m->ledger));
    if (m->course.state == MASTER_RESETTING)
        reset_when_quiet(m); /* the reset came between two sets of workers: the new set writes what is left */
}

void transition_on_relay_stopped(struct master *m)
{
    ingest_drop_held(m);
    if (m->course.state == MASTER_STOPPING && !pool_is_draining(m->pool))
        pool_drain(m->pool, true);
    else if (m->course.state == MASTER_REWINDING)
        rewind_when_quiet(m);
    else if (m->course.state == MASTER_RESETTING)
        reset_when_quiet(m);
    else if (master_is_running(m) && !m->course.is_paused)
        relay_start(m->relay); /* resumed while it was closing */
}

bool transition_on_drained(struct master *m)
{
    if (m->course.state == MASTER_STOPPING) {
        m->course.workers_left = true;
        stop_when_done(m);
    } else if (m->course.state == MASTER_REWINDING) {
        rewind_when_quiet(m);
    } else if (m->course.state == MASTER_RESETTING) {
        reset_when_quiet(m);
    } else {
        return false;
    }
    return true;
}

void transition_on_cursor_saved(struct master *m, int64_t cursor)
{
    pool_hold(m->pool, false); /* also where the sequence has ended meanwhile: what it left is to be written */
    if (m->course.state == MASTER_RESETTING)
        return; /* it was a cursor of the sequence that has ended */
    sequence_saved(&m->sequence, cursor);
    if (m->course.state != MASTER_STOPPING || !m->course.workers_left)
        return;
    struct optional now = checkpoint_cursor(m);
    if (optional_is(now, cursor))
        transition_end(m);
    else
        store_save_cursor(m->store, now.value);
}
