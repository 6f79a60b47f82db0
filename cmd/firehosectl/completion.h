/* completion.h: prints scripts for bash and zsh that complete commands, options and arguments. */
#ifndef FIREHOSED_CMD_COMPLETION_H
#define FIREHOSED_CMD_COMPLETION_H

#include "command.h"

int run_completion(const struct invocation *in);

#endif
