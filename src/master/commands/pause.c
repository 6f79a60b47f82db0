/* commands_pause.c: the operator holds the reading of the relay, or moves the point that it goes on at.
 *
 *   reading ──pause, drain──▶ paused (the relay's connection is closed; what is in hand is written) ──resume──▶ reading
 *
 * Nothing is lost by it: reading goes on at the cursor. (A relay keeps about three days.) The connection is closed
 * rather than left unread: a relay drops consumers that do not read, and that is an error, in its log and in ours. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "master/commands/commands.h"
#include "master/commands/deferred.h"

static bool is_quiet(const struct master *m)
{
    return relay_state(m->relay) == RELAY_STOPPED && ledger_record_count(m->ledger) == 0;
}

static json_t *cursor_text(int64_t cursor)
{
    char decimal[24];
    snprintf(decimal, sizeof decimal, "%" PRId64, cursor);
    return json_string(decimal);
}

static json_t *paused_json(const struct master *m)
{
    int64_t cursor;
    return json_pack("{s:b,s:o}", "paused", m->is_paused, "cursor",
                     master_cursor(m, &cursor) ? cursor_text(cursor) : json_null());
}

static bool is_stopped(struct master *m, struct deferred *w)
{
    if (relay_state(m->relay) != RELAY_STOPPED && m->is_paused)
        return false;
    control_answer(w->call, paused_json(m));
    return true;
}

static bool is_drained(struct master *m, struct deferred *w)
{
    int64_t cursor;
    if (!m->is_paused) {
        control_refuse(w->call, CONTROL_FAILED, "reading was resumed before all was written");
        return true;
    }
    if (!is_quiet(m) || m->state != MASTER_RUNNING)
        return false;
    if (master_cursor(m, &cursor) && !(m->has_saved_cursor && m->saved_cursor == cursor)) {
        if (!store_is_saving(m->store))
            store_save_cursor(m->store, cursor);
        return false; /* on_cursor_saved() looks again */
    }
    control_answer(w->call, paused_json(m));
    return true;
}

static bool pause(struct master *m, struct control_call *call)
{
    if (m->state == MASTER_STOPPING) {
        control_refuse(call, CONTROL_NOT_NOW, "firehosed is stopping");
        return false;
    }
    if (!m->is_paused)
        log_info("relay %s: paused by the operator", relay_host(m->relay));
    m->is_paused = true;
    /* In other states the relay is stopped already, and is not started again. */
    if (m->state == MASTER_RUNNING && relay_state(m->relay) != RELAY_STOPPED)
        relay_stop(m->relay);
    return true;
}

void command_pause(struct master *m, struct control_call *call)
{
    if (pause(m, call))
        deferred_begin(m, call, &(struct deferred){.check = is_stopped, .what = "the relay to be let go"});
}

void command_drain(struct master *m, struct control_call *call)
{
    if (pause(m, call))
        deferred_begin(m, call, &(struct deferred){.check = is_drained, .what = "what is in hand to be written"});
}

void command_resume(struct master *m, struct control_call *call)
{
    if (m->is_paused)
        log_info("relay %s: resumed by the operator", relay_host(m->relay));
    m->is_paused = false;
    if (m->state == MASTER_RUNNING && relay_state(m->relay) == RELAY_STOPPED)
        relay_start(m->relay); /* else it is started when it is through with closing, or when the state is over */
    deferred_check_all(m);
    control_answer(call, paused_json(m));
}

/* ---- the cursor ---- */

static json_t *marks_json(const struct master *m)
{
    int64_t low = 0, high = 0;
    int known = 0;
    for (size_t i = 0; i < PARTITIONS; i++) {
        int64_t seq = atomic_load_explicit(&m->known->seq[i], memory_order_relaxed);
        if (seq == 0)
            continue;
        low = known == 0 || seq < low ? seq : low;
        high = seq > high ? seq : high;
        known++;
    }
    if (known == 0)
        return json_pack("{s:i,s:n,s:n}", "partitions", 0, "lowest", "highest");
    return json_pack("{s:i,s:o,s:o}", "partitions", known, "lowest", cursor_text(low), "highest",
                     cursor_text(high));
}

static json_t *cursor_json(const struct master *m)
{
    int64_t cursor;
    bool has_cursor = master_cursor(m, &cursor);
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:b}", "relay", relay_host(m->relay), "key",
                     relay_list_current(&m->relays)->cursor_key,
                     "current", has_cursor ? cursor_text(cursor) : json_null(), "saved",
                     m->has_saved_cursor ? cursor_text(m->saved_cursor) : json_null(), "newest",
                     m->has_last_seq ? cursor_text(m->last_seq) : json_null(), "marks", marks_json(m), "paused",
                     m->is_paused);
}

void command_cursor(struct master *m, struct control_call *call)
{
    control_answer(call, cursor_json(m));
}

static bool is_set(struct master *m, struct deferred *w)
{
    if (m->state != MASTER_RUNNING)
        return false;
    control_answer(w->call, cursor_json(m));
    return true;
}

void command_cursor_set(struct master *m, struct control_call *call)
{
    bool live = command_flag(call, "live");
    int64_t seq = command_number(call, "seq", -1);
    if (live == (seq >= 0)) {
        control_refuse(call, CONTROL_BAD_ARGUMENT, "expected either seq or live");
        return;
    }
    if (!m->is_paused || m->state != MASTER_RUNNING || !is_quiet(m) || pool_is_draining(m->pool)) {
        control_refuse(call, CONTROL_NOT_NOW, "%s",
                       !m->is_paused ? "the relay is being read: drain first"
                                     : "not all that was read is written yet: drain first");
        return;
    }
    if (!store_is_ready(m->store)) {
        control_refuse(call, CONTROL_UNAVAILABLE, "redis: %s", store_trouble(m->store));
        return;
    }
    master_set_cursor(m, live ? -1 : seq);
    deferred_begin(m, call, &(struct deferred){.check = is_set, .what = "cursor and marks to be written"});
}
