#include "config.h"

#include "redis/info.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the text behind "name:"; NULL if there is no such line. */
static const char *value_of(const char *info, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1;
        if (*line == '\0')
            break;
    }
    return NULL;
}

void info_text(const char *info, const char *name, char *out, size_t size)
{
    const char *value = value_of(info, name);
    if (value == NULL)
        value = "";
    snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
}

int64_t info_number(const char *info, const char *name)
{
    const char *value = value_of(info, name);
    return value != NULL ? strtoll(value, NULL, 10) : -1;
}

void info_concern(const char *info, char *out, size_t size)
{
    char policy[32], role[16];
    info_text(info, "maxmemory_policy", policy, sizeof policy);
    info_text(info, "role", role, sizeof role);
    out[0] = '\0';
    if (strcmp(role, "slave") == 0)
        snprintf(out, size, "it is a replica, which refuses writes: configure the address of the primary");
    else if (info_number(info, "maxmemory") > 0 && strncmp(policy, "allkeys-", 8) == 0)
        snprintf(out, size, "maxmemory-policy %s evicts the stream, its marks and the cursor when memory is short: set "
                 "it to noeviction", policy);
}

enum append_log info_append_log(const char *info)
{
    char outcome[8], seconds[8]; /* of the last rewrite that has ended, well or badly; -1: none has */
    info_text(info, "aof_last_bgrewrite_status", outcome, sizeof outcome);
    info_text(info, "aof_last_rewrite_time_sec", seconds, sizeof seconds);
    bool has_ended = strcmp(seconds, "-1") != 0, went_well = strcmp(outcome, "ok") == 0;
    if (info_number(info, "aof_enabled") <= 0 || (has_ended && seconds[0] != '\0' && went_well))
        return APPEND_LOG_SOUND;
    if (info_number(info, "aof_rewrite_in_progress") > 0)
        return APPEND_LOG_BEING_WRITTEN;
    /* If the last one failed and one is scheduled, fork() fails, and Redis tries again and again. */
    if (info_number(info, "aof_rewrite_scheduled") > 0)
        return went_well ? APPEND_LOG_BEING_WRITTEN : APPEND_LOG_FAILED;
    return has_ended ? APPEND_LOG_FAILED : APPEND_LOG_INHERITED;
}
