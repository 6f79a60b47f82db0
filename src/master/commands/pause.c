/* pause.c: the operator holds the reading of the relay.
 *
 *   reading ──pause, drain──▶ paused (the relay's connection is closed; what is in hand is written) ──resume──▶ reading
 *
 * Nothing is lost by a pause: reading goes on at the cursor. (A relay keeps about three days.) The connection is
 * closed, because a relay drops consumers that do not read, and that is an error, in its log and in ours. */
#include "config.h"

#include "master/checkpoint.h"
#include "master/commands/command.h"
#include "master/commands/cursor.h"
#include "master/commands/deferred.h"
#include "master/transitions.h"

static json_t *paused_json(const struct master *m)
{
    return json_pack("{s:b,s:o}", "paused", m->course.is_paused, "cursor", cursor_text(checkpoint_cursor(m)));
}

static bool is_stopped(struct master *m, struct deferred *w)
{
    if (relay_state(m->relay) != RELAY_STOPPED && m->course.is_paused)
        return false;
    control_answer(w->call, paused_json(m));
    return true;
}

static bool is_drained(struct master *m, struct deferred *w)
{
    if (!m->course.is_paused) {
        control_refuse(w->call, CONTROL_FAILED, "reading was resumed before all was written");
        return true;
    }
    if (!cursor_is_at_rest(m) || !master_is_running(m))
        return false;
    if (!checkpoint_is_saved(m)) {
        if (!store_is_saving(m->store))
            store_save_cursor(m->store, checkpoint_cursor(m).value);
        return false; /* it is asked again when the cursor is saved */
    }
    control_answer(w->call, paused_json(m));
    return true;
}

static void pause_until(struct master *m, struct control_call *call, deferred_check *check, const char *what)
{
    if (command_refuse_while_stopping(m, call))
        return;
    transition_pause(m);
    deferred_begin(m, call, &(struct deferred){.check = check, .what = what});
}

void command_pause(struct master *m, struct control_call *call)
{
    pause_until(m, call, is_stopped, "the relay to be let go");
}

void command_drain(struct master *m, struct control_call *call)
{
    pause_until(m, call, is_drained, "what is in hand to be written");
}

void command_resume(struct master *m, struct control_call *call)
{
    transition_resume(m);
    deferred_check_all(m);
    control_answer(call, paused_json(m));
}
