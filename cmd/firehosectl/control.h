/* control.h: the commands that change the daemon's state. */
#ifndef FIREHOSED_CMD_CONTROL_H
#define FIREHOSED_CMD_CONTROL_H

#include "command.h"

int run_reload(const struct invocation *in);
int run_log_level(const struct invocation *in);
int run_workers(const struct invocation *in);
int run_restart_worker(const struct invocation *in);
int run_plain(const struct invocation *in); /* pause, drain, resume */
int run_cursor(const struct invocation *in);
int run_shutdown(const struct invocation *in);

#endif
