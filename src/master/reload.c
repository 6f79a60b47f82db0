/* reload.c: SIGHUP. If the file is wrong, the old configuration stays. Keys that workers read take effect when workers
 * are replaced: they finish the frames in their channels and leave, and the rest waits in the ring for their
 * successors. Meanwhile the relay is read on into the ring, so nothing is lost, nothing is doubled, and order is kept.
 * */
#include "config.h"

#include "master/reload.h"

#include "master/config_change.h"
#include "master/config_check.h"
#include "master/context.h"
#include "master/setting_text.h"
#include "master/transitions.h"

static void tell_fixed(const struct setting *row) { log_warn("%s has changed: that takes a restart", row->name); }

static void apply_log(struct master *m, const struct config *fresh, const struct config_change *change)
{
    struct error why;
    if (change->log_level) {
        log_set_level((enum log_level)fresh->log_level);
        pool_set_log_level(m->pool, fresh->log_level);
    }
    if (change->log_format)
        log_set_format((enum log_format)fresh->log_format);
    if (change->log_file && !log_open(fresh->log_file, &why))
        log_error("%s; still logging to the old one", why.text);
}

/* Notes for the client that asked which values differ from those in use. */
static void note_changes(struct master *m, const struct config *fresh)
{
    char from[SETTING_TEXT_BYTES], to[SETTING_TEXT_BYTES];
    json_decref(m->reload.changes);
    m->reload.changes = json_array();
    for (const struct setting *row = config_table; row->name != NULL; row++)
        if (!settings_equal(row, m->config, fresh) && !config_is_chosen(row, fresh))
            json_array_append_new(m->reload.changes,
                                  json_pack("{s:s,s:s,s:s,s:b}", "key", row->name, "from",
                                            setting_text(row, m->config, from, sizeof from), "to",
                                            setting_text(row, fresh, to, sizeof to), "needs_restart",
                                            !row->reloadable));
}

void reload_begin(struct master *m)
{
    struct error why;
    struct config *fresh = master_load_config(m->config_file, &why);
    if (fresh == NULL) {
        log_error("reload: %s; the old configuration stays", why.text);
        m->reload.trouble = why;
        return;
    }
    note_changes(m, fresh);
    config_keep_fixed(fresh, m->config, tell_fixed);
    config_free(m->reload.loading);
    m->reload.loading = fresh;
    if (!filter_load(m->filter, fresh, &why))
        reload_accept(m, &why);
}

void reload_accept(struct master *m, const struct error *failure)
{
    struct config *fresh = m->reload.loading;
    m->reload.loading = NULL;
    m->reload.trouble.text[0] = '\0';
    if (failure != NULL) {
        log_error("reload: %s; the old configuration stays", failure->text);
        m->reload.trouble = *failure;
        config_free(fresh);
        return;
    }
    const struct config_change change = config_compare(m->config, fresh);
    apply_log(m, fresh, &change);
    config_free(m->reload.pending);
    m->reload.pending = fresh;
    reload_apply(m);
}

void reload_apply(struct master *m)
{
    enum master_state state = m->course.state;
    if (m->reload.pending == NULL || (state != MASTER_STARTING && state != MASTER_RUNNING) ||
        (pool_is_draining(m->pool) && !pool_is_gone(m->pool)))
        return; /* it is taken over when the workers have left */
    if (state == MASTER_RUNNING && !pool_is_draining(m->pool) &&
        config_compare(m->config, m->reload.pending).workers)
        pool_drain(m->pool, false);
    else
        reload_finish(m);
}

/* The relay that was read is no longer there, or not in its place. */
static void change_relay(struct master *m)
{
    const struct relay_list *list = failover_new_list(m->failover);
    bool oldest = m->config->start == CONFIG_START_OLDEST;
    log_warn("relay: now %s; its sequence is another one, going on %s", list->list[0].name,
             list->count > 1 ? "at its cursor, or where the last one ended"
             : oldest        ? "with its oldest events"
                             : "with live events");
    if (list->count > 1) {
        transition_change_relay(m, (struct failover_wish){.is_wanted = true});
    } else {
        transition_reset(m, oldest);
        relay_stop(m->relay);
    }
}

/* Reads the list of relays again. Returns false if the relay to be read has another sequence: then the new list is
 * taken over when what is in hand is written. */
static bool set_relays(struct master *m)
{
    struct error why;
    enum failover_list_change change = failover_set_list(m->failover, master_is_running(m), &why);
    if (change == FAILOVER_LIST_FAILED)
        log_error("relay: %s", why.text); /* it was checked: memory is short */
    return change != FAILOVER_OTHER_SEQUENCE;
}

/* Returns false if another relay's sequence is to be read from here on. */
static bool take_over(struct master *m, struct config *fresh)
{
    const struct config_change change = config_compare(m->config, fresh);
    struct config old = *m->config;
    *m->config = *fresh;
    *fresh = old; /* from here on `fresh` holds the old one */
    config_free(fresh);
    filter_apply(m->filter, m->config);
    bool same = !change.relay || set_relays(m);
    /* While starting, the store has asked about the relay of before, and its answers are on their way. */
    if (change.redis || (change.relay && m->course.state == MASTER_STARTING))
        store_restart(m->store);
    if (change.relay && same)
        relay_reconnect(m->relay, "the configuration has changed", true);
    log_info("configuration reloaded");
    return same;
}

void reload_finish(struct master *m)
{
    struct config *fresh = m->reload.pending;
    m->reload.pending = NULL;
    if (fresh != NULL && !take_over(m, fresh)) {
        change_relay(m);
        return;
    }
    if (!master_is_running(m) || !pool_is_draining(m->pool))
        return;
    /* First all slots are taken: a transaction of a killed worker may still be under way, and its partitions have other
     * workers now. */
    unsigned workers = config_worker_count(m->config);
    ledger_reroute(m->ledger, workers);
    store_take_slots(m->store);
    log_info("%u workers", workers);
}
