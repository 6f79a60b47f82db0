#include "config.h"

#include "master/config_change.h"

#include <stdlib.h>
#include <string.h>

static const char *const worker_keys[] = {
    "redis",       "redis_ca_file", "redis_connect_timeout", "redis_reply_timeout", "redis_rewrite_aof",
    "stream_key",  "stream_max_len", "batch_size",           "batch_events",        "dead_letters_key",
    "dead_letters_max_len", "workers", "event_format",       "emit_sync",           "collections",
    "exclude_collections", "event_max_size", "event_max_growth", NULL};
static const char *const relay_keys[] = {"relay", "relay_ca_file", "cursor_key", NULL};
static const char *const redis_keys[] = {"redis", "redis_ca_file", "redis_rewrite_aof", "cursor_key", NULL};

static bool differs(const struct config *a, const struct config *b, const char *key)
{
    return !settings_equal(&config_table[settings_find(config_table, key)], a, b);
}

static bool any_differs(const struct config *a, const struct config *b, const char *const *keys)
{
    while (*keys != NULL && !differs(a, b, *keys))
        keys++;
    return *keys != NULL;
}

struct config_change config_compare(const struct config *old, const struct config *fresh)
{
    return (struct config_change){
        .log_level = differs(old, fresh, "log_level"),
        .log_format = differs(old, fresh, "log_format"),
        .log_file = differs(old, fresh, "log_file"),
        .workers = any_differs(old, fresh, worker_keys),
        .relay = any_differs(old, fresh, relay_keys),
        .redis = any_differs(old, fresh, redis_keys),
    };
}

bool config_is_chosen(const struct setting *row, const struct config *fresh)
{
    return strcmp(row->name, "log_file") == 0 && !config_is_set(fresh, "log_file");
}

static void keep_text(char **fresh, const char *old)
{
    char *kept = strdup(old);
    if (kept == NULL)
        return;
    free(*fresh);
    *fresh = kept;
}

static void keep(const struct setting *row, struct config *fresh, const struct config *old)
{
    void *to = (char *)fresh + row->offset;
    const void *from = (const char *)old + row->offset;
    if (row->type == SETTING_TEXT)
        keep_text(to, *(char *const *)from);
    else
        memcpy(to, from,
               row->type == SETTING_CHOICE ? sizeof(int)
               : row->type == SETTING_FLAG ? sizeof(bool)
                                           : sizeof(int64_t));
}

void config_keep_fixed(struct config *fresh, const struct config *old, void (*told)(const struct setting *row))
{
    for (const struct setting *row = config_table; row->name != NULL; row++) {
        if (config_is_chosen(row, fresh)) {
            keep(row, fresh, old);
        } else if (!row->reloadable && !settings_equal(row, fresh, old)) {
            told(row);
            keep(row, fresh, old);
        }
    }
}
