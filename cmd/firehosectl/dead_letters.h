/* dead_letters.h: the command dead-letters list|show|retry|drop. */
#ifndef FIREHOSED_CMD_DEAD_LETTERS_H
#define FIREHOSED_CMD_DEAD_LETTERS_H

#include "command.h"

int run_dead_letters(const struct invocation *in);

#endif
