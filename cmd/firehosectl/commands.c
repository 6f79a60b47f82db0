/* commands.c: the table of commands. */
#include "config.h"

#include "command.h"
#include "completion.h"
#include "control.h"
#include "dead_letters.h"
#include "show.h"
#include "tail.h"
#include "top.h"

static int run_status(const struct invocation *in)
{
    return command_show(in, command_ask(in, "status", NULL, CLIENT_TIMEOUT_S), show_status);
}

static int run_health(const struct invocation *in)
{
    json_t *answer = command_ask(in, in->command->name, NULL, CLIENT_TIMEOUT_S);
    bool is_so = json_array_size(json_object_get(answer, "reasons")) == 0;
    command_show(in, answer, show_health);
    return is_so ? EXIT_SUCCESS : EXIT_REFUSED;
}

static int run_config(const struct invocation *in)
{
    json_t *args = in->argc > 0 ? json_pack("{s:s}", "key", in->argv[0]) : NULL;
    return command_show(in, command_ask(in, "config", args, CLIENT_TIMEOUT_S),
                        in->argc > 0 ? show_setting : show_config);
}

const struct command command_table[] = {
    {"status", "", "", "", 0, 0, run_status, "shows relay, Redis, workers and events"},
    {"workers", "[N]", "", "", 0, 1, run_workers, "shows each worker; N sets their number"},
    {"restart-worker", "W|all", "", "all", 1, 1, run_restart_worker, "replaces a worker, or all, one by one"},
    {"ready", "", "", "", 0, 0, run_health, "asks whether events are read and written"},
    {"healthy", "", "", "", 0, 0, run_health, "asks whether the process is well"},
    {"top", "", "n", "", 0, 0, run_top, "shows a live view, full screen"},
    {"config", "[KEY]", "", "KEY", 0, 1, run_config, "shows the configuration and its origins"},
    {"tail", "[--collection C] [--did D] [-n N]", "cdn", "", 0, 0, run_tail,
     "shows passing events; C may be app.bsky.feed.*"},
    {"reload", "", "", "", 0, 0, run_reload, "reads the configuration again; shows the changes"},
    {"log-level", "LEVEL", "", "debug info warn error", 1, 1, run_log_level, "sets log_level until the next reload"},
    {"pause", "", "", "", 0, 0, run_plain, "stops reading the relay"},
    {"drain", "", "", "", 0, 0, run_plain, "pauses, and waits until all frames are written"},
    {"resume", "", "", "", 0, 0, run_plain, "reads the relay again, from the cursor"},
    {"cursor", "[set SEQ|live]", "y", "set", 0, 2, run_cursor, "shows the cursor; set changes it (drain first)"},
    {"dead-letters", "[list|show|retry|drop SEQ]", "n", "list show retry drop", 0, 2, run_dead_letters,
     "handles frames that could not be written"},
    {"shutdown", "", "", "", 0, 0, run_shutdown, "ends firehosed in order, and waits for its end"},
    {"completion", "bash|zsh", "", "bash zsh", 1, 1, run_completion, "prints a completion script for your shell"},
    {.name = NULL},
};
