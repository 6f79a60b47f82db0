/* tail.h: shows events as they pass. */
#ifndef FIREHOSED_CMD_TAIL_H
#define FIREHOSED_CMD_TAIL_H

#include "command.h"

int run_tail(const struct invocation *in);

#endif
