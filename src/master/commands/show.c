/* commands_show.c: commands that only look. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "master/commands/commands.h"
#include "net/url.h"

void command_status(struct master *m, struct control_call *call)
{
    control_answer(call, status_json(m));
}

void command_workers(struct master *m, struct control_call *call)
{
    json_t *status = status_json(m);
    control_answer(call, json_pack("{s:O?}", "workers", json_object_get(status, "workers")));
    json_decref(status);
}

void command_history(struct master *m, struct control_call *call)
{
    control_answer(call, traffic_history_json(m->traffic));
}

/* ---- config ---- */

/* Appends one word of a value: a URL without its password. */
static void append_shown(struct buffer *shown, const char *word, size_t len)
{
    char text[COMMAND_VALUE_BYTES], redacted[URL_HOST_BYTES + URL_PATH_BYTES];
    struct url url;
    struct error ignored;
    snprintf(text, sizeof text, "%.*s", (int)len, word);
    if (strstr(text, "://") == NULL)
        buffer_append_text(shown, text);
    else if (url_parse(text, &url, &ignored))
        buffer_append_text(shown, url_redacted(&url, redacted, sizeof redacted));
    else
        buffer_append_literal(shown, "(not a URL that can be shown)");
}

/* A URL, or a list of them, may hold passwords: it is shown as status shows it. */
const char *command_value(const struct setting *row, const struct config *config, char *out, size_t out_bytes)
{
    struct buffer shown;
    settings_format(row, config, out, out_bytes);
    if (row->type != SETTING_TEXT || strstr(out, "://") == NULL)
        return out;
    buffer_init(&shown);
    for (const char *at = out; *at != '\0';) {
        size_t between = strspn(at, ", \t"), len = strcspn(at + between, ", \t");
        buffer_append(&shown, at, between);
        append_shown(&shown, at + between, len);
        at += between + len;
    }
    buffer_append_byte(&shown, '\0');
    snprintf(out, out_bytes, "%s", shown.failed ? "" : (const char *)shown.data);
    buffer_fini(&shown);
    return out;
}

static json_t *setting_json(const struct master *m, const struct setting *row)
{
    char value[COMMAND_VALUE_BYTES], origin[1200];
    return json_pack("{s:s,s:s,s:s,s:b,s:b,s:s,s:s}", "key", row->name, "value",
                     command_value(row, m->config, value, sizeof value), "origin",
                     config_origin(m->config, row->name, origin, sizeof origin), "is_default",
                     !config_is_set(m->config, row->name), "reloadable", row->reloadable, "default", row->fallback,
                     "help", row->help);
}

void command_config(struct master *m, struct control_call *call)
{
    const char *key = command_text(call, "key");
    int only = key != NULL ? settings_find(config_table, key) : -1;
    if (key != NULL && only < 0) {
        control_refuse(call, CONTROL_NOT_FOUND, "'%.60s' is not a key of the configuration", key);
        return;
    }
    json_t *list = json_array();
    for (int i = 0; config_table[i].name != NULL; i++)
        if (only < 0 || only == i)
            json_array_append_new(list, setting_json(m, &config_table[i]));
    control_answer(call, json_pack("{s:s,s:o}", "file", m->config_file != NULL ? m->config_file : "", "settings",
                                   list));
}

/* ---- commands ---- */

static json_t *argument_json(const struct command_argument *a)
{
    static const char *const types[] = {"text", "number", "flag"};
    return json_pack("{s:s,s:s,s:b}", "name", a->name, "type", types[a->type], "required", a->is_required);
}

void command_commands(struct master *m, struct control_call *call)
{
    (void)m;
    json_t *list = json_array();
    for (const struct command *c = command_table; c->name != NULL; c++) {
        json_t *arguments = json_array();
        for (const struct command_argument *a = c->arguments; a->name != NULL; a++)
            json_array_append_new(arguments, argument_json(a));
        json_array_append_new(list, json_pack("{s:s,s:b,s:o,s:s}", "name", c->name, "changes", c->changes,
                                              "arguments", arguments, "help", c->help));
    }
    control_answer(call, json_pack("{s:i,s:o}", "version", CONTROL_VERSION, "commands", list));
}
