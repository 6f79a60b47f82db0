/* show.c: commands that only look. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "master/commands/command.h"
#include "master/report/report.h"
#include "master/setting_text.h"

void command_status(struct master *m, struct control_call *call)
{
    control_answer(call, snapshot_json(report_take(m)));
}

void command_workers(struct master *m, struct control_call *call)
{
    control_answer(call, json_pack("{s:o}", "workers", snapshot_workers_json(report_take(m))));
}

void command_history(struct master *m, struct control_call *call)
{
    control_answer(call, traffic_history_json(m->traffic, HISTORY_10_MIN));
}

void command_healthy(struct master *m, struct control_call *call)
{
    control_answer(call, health_json(report_take(m)));
}

void command_ready(struct master *m, struct control_call *call)
{
    control_answer(call, health_ready_json(&m->health, report_take(m)));
}

/* ---- config ---- */

static json_t *setting_json(const struct master *m, const struct setting *row)
{
    char value[SETTING_TEXT_BYTES], origin[1200];
    return json_pack("{s:s,s:s,s:s,s:b,s:b,s:s,s:s}", "key", row->name, "value",
                     setting_text(row, m->config, value, sizeof value), "origin",
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
