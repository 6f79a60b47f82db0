/* reload.c: SIGHUP. The file is read; if it is wrong the old configuration stays. What workers read takes
 * effect by replacing them: they finish what is in their channels and leave, the rest waits in the ledger for
 * their successors. The relay is read on into the ring meanwhile, so nothing is lost, nothing is doubled, and
 * order is kept. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "master/master.h"
#include "master/commands/commands.h"
#include "net/url.h"

static bool differs(const struct config *a, const struct config *b, const char *key)
{
    int i = settings_find(config_table, key);
    return !settings_equal(&config_table[i], a, b);
}

static bool any_differs(const struct config *a, const struct config *b, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (differs(a, b, *keys))
            return true;
    return false;
}

static const char *const worker_keys[] = {"redis",
                                          "redis_ca_file",
                                          "redis_connect_timeout",
                                          "redis_reply_timeout",
                                          "redis_rewrite_aof",
                                          "stream_key",
                                          "stream_max_len",
                                          "batch_size",
                                          "batch_events",
                                          "dead_letters_key",
                                          "dead_letters_max_len",
                                          "workers",
                                          "event_format",
                                          "emit_sync",
                                          "collections",
                                          "exclude_collections",
                                          NULL};
static const char *const relay_keys[] = {"relay", "relay_ca_file", "cursor_key", NULL};
static const char *const redis_keys[] = {"redis", "redis_ca_file", "redis_rewrite_aof", "cursor_key", NULL};

static void keep_text(char **fresh, const char *old)
{
    char *kept = strdup(old);
    if (kept == NULL)
        return;
    free(*fresh);
    *fresh = kept;
}

/* Where no file is configured, the daemon chose one at start. */
static bool is_chosen_log_file(const struct setting *row, const struct config *fresh)
{
    return strcmp(row->name, "log_file") == 0 && !config_is_set(fresh, "log_file");
}

/* Keys that need a restart keep their old values; told once a reload. */
static void keep_fixed(struct config *fresh, struct config *old)
{
    if (!config_is_set(fresh, "log_file"))
        keep_text(&fresh->log_file, old->log_file);
    for (const struct setting *row = config_table; row->name != NULL; row++) {
        if (row->reloadable || settings_equal(row, fresh, old))
            continue;
        log_warn("%s has changed: that takes a restart", row->name);
        if (row->type == SETTING_TEXT) {
            keep_text((char **)(void *)((char *)fresh + row->offset),
                      *(char **)(void *)((char *)old + row->offset));
        } else {
            memcpy((char *)fresh + row->offset, (char *)old + row->offset,
                   row->type == SETTING_CHOICE ? sizeof(int)
                   : row->type == SETTING_FLAG ? sizeof(bool)
                                               : sizeof(int64_t));
        }
    }
}

static void apply_log(struct master *m, const struct config *fresh)
{
    struct error why;
    if (differs(m->config, fresh, "log_level")) {
        log_set_level((enum log_level)fresh->log_level);
        pool_set_log_level(m->pool, fresh->log_level);
    }
    if (differs(m->config, fresh, "log_format")) {
        log_set_format((enum log_format)fresh->log_format);
        pool_set_log_format(m->pool, fresh->log_format);
    }
    if (differs(m->config, fresh, "log_file")) {
        if (!log_open(fresh->log_file, &why))
            log_error("%s; still logging to the old one", why.text);
        pool_reopen_log(m->pool);
    }
}

/* For who asked: what is another value than is in use. */
static void note_changes(struct master *m, const struct config *fresh)
{
    char from[COMMAND_VALUE_BYTES], to[COMMAND_VALUE_BYTES];
    json_decref(m->reload_changes);
    m->reload_changes = json_array();
    for (const struct setting *row = config_table; row->name != NULL; row++)
        if (!settings_equal(row, m->config, fresh) && !is_chosen_log_file(row, fresh))
            json_array_append_new(m->reload_changes,
                                  json_pack("{s:s,s:s,s:s,s:b}", "key", row->name, "from",
                                            command_value(row, m->config, from, sizeof from), "to",
                                            command_value(row, fresh, to, sizeof to), "needs_restart",
                                            !row->reloadable));
}

void reload_begin(struct master *m)
{
    struct error why;
    struct config *fresh = config_load(m->config_file, &why);
    if (fresh != NULL && !master_check_config(fresh, &why)) {
        config_free(fresh);
        fresh = NULL;
    }
    if (fresh == NULL) {
        log_error("reload: %s; the old configuration stays", why.text);
        m->reload_trouble = why;
        return;
    }
    note_changes(m, fresh);
    keep_fixed(fresh, m->config);
    config_free(m->loading);
    m->loading = fresh;
    if (!filter_load(m->filter, fresh, &why))
        reload_accept(m, &why);
}

void reload_accept(struct master *m, const struct error *failure)
{
    struct config *fresh = m->loading;
    m->loading = NULL;
    m->reload_trouble.text[0] = '\0';
    if (failure != NULL) {
        log_error("reload: %s; the old configuration stays", failure->text);
        m->reload_trouble = *failure;
        config_free(fresh);
        return;
    }
    apply_log(m, fresh);
    config_free(m->pending);
    m->pending = fresh;
    reload_apply(m);
}

void reload_apply(struct master *m)
{
    if (m->pending == NULL || m->state == MASTER_STOPPING || m->state == MASTER_REWINDING ||
        m->state == MASTER_RESETTING || (pool_is_draining(m->pool) && !pool_is_gone(m->pool)))
        return; /* taken over when the workers have left */
    if (m->state == MASTER_RUNNING && !pool_is_draining(m->pool) &&
        any_differs(m->config, m->pending, worker_keys))
        pool_drain(m->pool, false);
    else
        reload_finish(m);
}

/* The relay that was read is no longer there, or not in its place. */
static void change_relay(struct master *m)
{
    bool several = m->new_relays.count > 1, oldest = m->config->start == CONFIG_START_OLDEST;
    log_warn("relay: now %s; its sequence is another one, going on %s", m->new_relays.list[0].name,
             several  ? "at its cursor, or where the last one ended"
             : oldest ? "with its oldest events"
                      : "with live events");
    if (several)
        failover_change_list(m);
    else
        master_reset_sequence(m, oldest);
}

void reload_finish(struct master *m)
{
    struct config *fresh = m->pending;
    m->pending = NULL;
    if (fresh != NULL) {
        bool relay = any_differs(m->config, fresh, relay_keys),
             redis = any_differs(m->config, fresh, redis_keys);
        struct config old = *m->config;
        *m->config = *fresh;
        *fresh = old; /* from here on `fresh` holds what was before */
        filter_apply(m->filter, m->config);
        bool same = !relay || failover_reload(m); /* each relay has its own sequence */
        /* While starting: what was asked is about the relay of before, and its answers are on their way. */
        if (redis || (relay && m->state == MASTER_STARTING))
            store_restart(m->store);
        if (relay) {
            if (same || m->state != MASTER_RUNNING) {
                relay_reconnect(m->relay, "the configuration has changed", true);
            } else {
                config_free(fresh);
                log_info("configuration reloaded");
                change_relay(m);
                return;
            }
        }
        config_free(fresh);
        log_info("configuration reloaded");
    }
    if (m->state != MASTER_RUNNING)
        return;
    unsigned workers = config_worker_count(m->config);
    if (pool_is_draining(m->pool)) {
        ledger_reroute(m->ledger, workers);
        /* First all slots are taken: a transaction of a killed worker of before may still be under way, and
         * its partitions have other workers now. */
        store_take_slots(m->store);
        log_info("%u workers", workers);
    }
}
