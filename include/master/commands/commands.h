/* commands.h: what can be asked of a running firehosed. */
#ifndef FIREHOSED_MASTER_COMMANDS_COMMANDS_H
#define FIREHOSED_MASTER_COMMANDS_COMMANDS_H

#include "control/control.h"

/* A request over the control socket: finds its handler. arg is the master. */
void commands_take(void *arg, struct control_call *call);

#endif
