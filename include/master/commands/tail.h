/* tail.h: events as they pass, for clients of the control socket. The workers have them decoded: each sends what
 * matches into a tap (ipc/tap.h), the master passes it on. Neither waits for anybody: what is too much is left out and
 * counted. */
#ifndef FIREHOSED_MASTER_COMMANDS_TAIL_H
#define FIREHOSED_MASTER_COMMANDS_TAIL_H

#include "master/commands/commands.h"

/* A worker was started: it gets the taps that there are. */
void tail_tell(struct master *m, unsigned worker);

/* Once a second: a sign of life to those that nothing passes for. */
void tail_tick(struct master *m);

/* Ends all; their calls are the control socket's to free. */
void tail_end(struct master *m);

#endif
