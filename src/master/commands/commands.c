/* commands.c: the table of commands, and the one place where a request finds its handler. */
#include "config.h"

#include "master/commands/commands.h"

#include <stdlib.h>
#include <string.h>

#include "master/commands/command.h"

static command_handler list_commands;

static const struct command command_table[] = {
    {"status", command_status, false, {{0}}, "Shows relay, Redis, workers, ring, and the balance of events."},
    {"workers", command_workers, false, {{0}}, "Shows each worker's process, state and figures."},
    {"healthy", command_healthy, false, {{0}}, "Shows whether the process is well, with the reasons if it is not."},
    {"ready",
     command_ready,
     false,
     {{0}},
     "Shows whether relay and Redis are connected and events are written, with reasons."},
    {"history", command_history, false, {{0}}, "Shows events a second and lag of the last ten minutes."},
    {"config",
     command_config,
     false,
     {{.name = "key", .type = ARGUMENT_TEXT}},
     "Shows the configuration in use: each key's value, and where it comes from."},
    {"cursor", command_cursor, false, {{0}}, "Shows the cursor in use, the saved one, and the marks."},
    {"tail",
     command_tail,
     false,
     {{.name = "collection", .type = ARGUMENT_TEXT},
      {.name = "did", .type = ARGUMENT_TEXT},
      {.name = "count", .type = ARGUMENT_NUMBER, .min = 1, .max = INT64_MAX}},
     "Sends events as they pass, one item each; a sample of them if they are too many."},
    {"dead-letters",
     command_dead_letters,
     false,
     {{.name = "count", .type = ARGUMENT_NUMBER, .min = 1, .max = 10000}},
     "Lists the dead letters, newest first."},
    {"dead-letter-show",
     command_dead_letter_show,
     false,
     {{.name = "entry", .type = ARGUMENT_TEXT, .is_required = true}},
     "Shows the dead letters of one seq, with the frame."},
    {"commands", list_commands, false, {{0}}, "Shows this list."},

    {"reload", command_reload, true, {{0}}, "Reads the configuration again; answers when it has taken effect."},
    {"log-level",
     command_log_level,
     true,
     {{.name = "level", .type = ARGUMENT_TEXT, .is_required = true}},
     "Sets the least important lines that are logged, until the next reload."},
    {"resize",
     command_resize,
     true,
     {{.name = "workers", .type = ARGUMENT_NUMBER, .is_required = true, .min = 1, .max = WORKERS_MAX}},
     "Sets the number of workers, until the next reload."},
    {"restart-worker",
     command_restart_worker,
     true,
     {{.name = "worker", .type = ARGUMENT_TEXT, .is_required = true}},
     "Replaces one worker, or all of them, one after the other."},
    {"pause", command_pause, true, {{0}}, "Stops reading the relay."},
    {"drain", command_drain, true, {{0}}, "Stops reading the relay; answers when everything that was read is written."},
    {"resume", command_resume, true, {{0}}, "Reads the relay again, from the cursor on."},
    {"cursor-set",
     command_cursor_set,
     true,
     {{.name = "seq", .type = ARGUMENT_NUMBER, .min = 0, .max = INT64_MAX}, {.name = "live", .type = ARGUMENT_FLAG}},
     "Sets the cursor after a drain; live: deletes cursor and marks."},
    {"dead-letter-retry",
     command_dead_letter_retry,
     true,
     {{.name = "entry", .type = ARGUMENT_TEXT, .is_required = true}},
     "Has a worker try a dead letter again; the transaction that writes its event deletes it."},
    {"dead-letter-drop",
     command_dead_letter_drop,
     true,
     {{.name = "entry", .type = ARGUMENT_TEXT, .is_required = true}},
     "Deletes the dead letters of one seq."},
    {"shutdown", command_shutdown, true, {{0}}, "Ends firehosed in order, as SIGTERM does."},
    {.name = NULL},
};

/* ---- the list ---- */

static json_t *argument_json(const struct command_argument *a)
{
    static const char *const types[] = {"text", "number", "flag"};
    return json_pack("{s:s,s:s,s:b}", "name", a->name, "type", types[a->type], "required", a->is_required);
}

static void list_commands(struct master *m, struct control_call *call)
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

/* ---- dispatch ---- */

/* Logs who changes what, before anything is changed. */
static void note_change(const struct command *command, const struct control_call *call)
{
    char *arguments = json_dumps(control_call_arguments(call), JSON_COMPACT);
    struct ucred peer = {.pid = -1, .uid = (uid_t)-1};
    control_call_peer(call, &peer);
    log_always(LOG_LEVEL_INFO, "control: %s%s%.200s, asked for by user %d, pid %d", command->name,
               arguments != NULL ? " " : "", arguments != NULL ? arguments : "", (int)peer.uid, (int)peer.pid);
    free(arguments);
}

void commands_take(void *arg, struct control_call *call)
{
    struct error why;
    const struct command *command = command_table;
    while (command->name != NULL && strcmp(command->name, control_call_command(call)) != 0)
        command++;
    if (command->name == NULL) {
        control_refuse(call, CONTROL_UNKNOWN_COMMAND, "command '%.60s' is not known", control_call_command(call));
        return;
    }
    if (!command_check(command, control_call_arguments(call), &why)) {
        control_refuse(call, CONTROL_BAD_ARGUMENT, "%s", why.text);
        return;
    }
    if (command->changes)
        note_change(command, call);
    command->handler(arg, call);
}
