/* change.c: commands that change the configuration in use, or end the daemon. */
#include "config.h"

#include <unistd.h>

#include "base/settings.h"
#include "base/settings_print.h"
#include "master/commands/command.h"
#include "master/commands/deferred.h"
#include "master/reload.h"
#include "master/transitions.h"

/* ---- reload ---- */

/* All workers are there, and none is leaving. */
static bool pool_is_settled(const struct master *m)
{
    struct pool_worker_status w;
    if (!master_is_running(m) || pool_is_draining(m->pool))
        return false;
    for (unsigned i = 0; i < pool_size(m->pool); i++) {
        pool_worker_status(m->pool, i, &w);
        if (w.pid == 0 || w.is_draining)
            return false;
    }
    return true;
}

static bool is_reloaded(struct master *m, struct deferred *w)
{
    if (m->reload.loading != NULL)
        return false;
    if (m->reload.trouble.text[0] != '\0') {
        control_refuse(w->call, CONTROL_FAILED, "%s; the old configuration stays", m->reload.trouble.text);
        return true;
    }
    if (m->reload.pending != NULL || !pool_is_settled(m))
        return false;
    control_answer(w->call, json_pack("{s:O}", "changes", m->reload.changes));
    return true;
}

void command_reload(struct master *m, struct control_call *call)
{
    if (command_refuse_while_stopping(m, call))
        return;
    reload_begin(m);
    deferred_begin(m, call, &(struct deferred){.check = is_reloaded, .what = "the reload to take effect"});
}

/* ---- values in use ---- */

/* Until the next reload the value is from the operator, not from the file. */
static void set_by_operator(struct master *m, const char *key)
{
    m->config->origins[settings_find(config_table, key)] = (struct setting_origin){.from_operator = true};
}

void command_log_level(struct master *m, struct control_call *call)
{
    const char *level = command_text(call, "level");
    const struct setting *row = &config_table[settings_find(config_table, "log_level")];
    char before[16], after[16];
    int i = setting_choice(row, level);
    if (i < 0) {
        control_refuse(call, CONTROL_BAD_ARGUMENT, "level: expected one of debug, info, warn, error");
        return;
    }
    settings_format(row, m->config, before, sizeof before);
    m->config->log_level = i;
    set_by_operator(m, "log_level");
    log_set_level((enum log_level)i);
    pool_set_log_level(m->pool, i);
    control_answer(call, json_pack("{s:s,s:s}", "log_level", settings_format(row, m->config, after, sizeof after),
                                   "before", before));
}

static bool is_resized(struct master *m, struct deferred *w)
{
    if (!pool_is_settled(m) || m->reload.pending != NULL)
        return false;
    json_object_set_new(w->result, "workers", json_integer(pool_size(m->pool)));
    control_answer(w->call, json_incref(w->result));
    return true;
}

void command_resize(struct master *m, struct control_call *call)
{
    unsigned before = pool_size(m->pool), workers = (unsigned)command_number(call, "workers", 0);
    if (command_refuse_while_stopping(m, call))
        return;
    if (m->reload.pending != NULL || m->reload.loading != NULL) {
        control_refuse(call, CONTROL_NOT_NOW, "a reload is under way");
        return;
    }
    m->config->workers = workers;
    set_by_operator(m, "workers");
    /* Where workers are leaving already (another resize), their successors will be as many as the configuration says.
     * */
    if (master_is_running(m) && !pool_is_draining(m->pool) && workers != before)
        pool_drain(m->pool, false);
    deferred_begin(m, call,
                  &(struct deferred){.check = is_resized,
                                    .what = "the workers to be replaced",
                                    .result = json_pack("{s:I}", "before", (json_int_t)before)});
}

/* ---- the end ---- */

void command_shutdown(struct master *m, struct control_call *call)
{
    /* The connection stays until the process ends: its end tells the client that all is done. */
    control_answer(call, json_pack("{s:i,s:I}", "pid", (int)getpid(), "timeout_ms",
                                   (json_int_t)m->config->shutdown_timeout));
    transition_stop(m, "firehosectl shutdown");
}
