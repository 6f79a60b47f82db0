#include "config.h"

#include "master/commands/cursor.h"

#include <inttypes.h>
#include <stdio.h>

#include "master/checkpoint.h"
#include "master/commands/command.h"
#include "master/commands/deferred.h"
#include "master/transitions.h"

json_t *cursor_text(struct optional seq)
{
    char decimal[24];
    snprintf(decimal, sizeof decimal, "%" PRId64, seq.value);
    return seq.is_known ? json_string(decimal) : json_null();
}

bool cursor_is_at_rest(const struct master *m)
{
    return relay_state(m->relay) == RELAY_STOPPED && ledger_record_count(m->ledger) == 0;
}

static json_t *marks_json(const struct master *m)
{
    const struct marks marks = known_marks_read(m->known);
    struct optional low = optional_none(), high = optional_none();
    int known = 0;
    for (size_t i = 0; i < PARTITIONS; i++) {
        int64_t seq = marks.seq[i];
        if (seq == 0)
            continue;
        if (known++ == 0 || seq < low.value)
            low = optional_of(seq);
        if (seq > high.value)
            high = optional_of(seq);
    }
    return json_pack("{s:i,s:o,s:o}", "partitions", known, "lowest", cursor_text(low), "highest", cursor_text(high));
}

static json_t *cursor_json(const struct master *m)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:b}", "relay", relay_host(m->relay), "key",
                     failover_current(m->failover)->cursor_key, "current", cursor_text(checkpoint_cursor(m)), "saved",
                     cursor_text(m->sequence.saved), "newest", cursor_text(m->sequence.last), "marks", marks_json(m),
                     "paused", m->course.is_paused);
}

void command_cursor(struct master *m, struct control_call *call) { control_answer(call, cursor_json(m)); }

static bool is_set(struct master *m, struct deferred *w)
{
    if (!master_is_running(m))
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
    if (!m->course.is_paused || !master_is_running(m) || !cursor_is_at_rest(m) || pool_is_draining(m->pool)) {
        control_refuse(call, CONTROL_NOT_NOW, "%s",
                       !m->course.is_paused ? "the relay is being read: drain first"
                                            : "not all that was read is written yet: drain first");
        return;
    }
    if (!store_is_ready(m->store)) {
        control_refuse(call, CONTROL_UNAVAILABLE, "redis: %s", store_trouble(m->store));
        return;
    }
    transition_set_cursor(m, live ? optional_none() : optional_of(seq));
    deferred_begin(m, call, &(struct deferred){.check = is_set, .what = "cursor and marks to be written"});
}
