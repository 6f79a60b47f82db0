/* commands.c: the table. */
#include "config.h"

#include "command.h"
#include "show.h"

static int run_status(const struct invocation *in)
{
    return command_show(in, command_ask(in, "status", NULL, CLIENT_TIMEOUT_S), show_status);
}

static int run_workers(const struct invocation *in)
{
    return command_show(in, command_ask(in, "workers", NULL, CLIENT_TIMEOUT_S), show_workers);
}

static int run_config(const struct invocation *in)
{
    json_t *args = in->argc > 0 ? json_pack("{s:s}", "key", in->argv[0]) : NULL;
    return command_show(in, command_ask(in, "config", args, CLIENT_TIMEOUT_S),
                        in->argc > 0 ? show_setting : show_config);
}

const struct command command_table[] = {
    {"status", "", "", "", 0, 0, run_status, "how it is: relay, Redis, workers, ring, balance of events"},
    {"workers", "", "", "", 0, 0, run_workers, "how each worker is"},
    {"config", "[KEY]", "", "", 0, 1, run_config, "the configuration in use, and where each value comes from"},
    {.name = NULL},
};
