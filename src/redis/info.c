#include "config.h"

#include "redis/info.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind "name:"; NULL: there is no such line. */
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

enum append_log info_append_log(const char *info)
{
    char outcome[8];
    info_text(info, "aof_last_bgrewrite_status", outcome, sizeof outcome);
    bool has_ended = info_number(info, "aof_last_rewrite_time_sec") >= 0; /* -1 until one has, well or badly */
    if (info_number(info, "aof_enabled") <= 0 || (has_ended && strcmp(outcome, "ok") == 0))
        return APPEND_LOG_SOUND;
    if (info_number(info, "aof_rewrite_in_progress") > 0 || info_number(info, "aof_rewrite_scheduled") > 0)
        return APPEND_LOG_BEING_WRITTEN;
    return has_ended ? APPEND_LOG_FAILED : APPEND_LOG_INHERITED;
}
