/* top.h: the live view: asks once a second, takes keys, and draws. */
#ifndef FIREHOSED_CMD_TOP_H
#define FIREHOSED_CMD_TOP_H

#include "command.h"

int run_top(const struct invocation *in);

#endif
