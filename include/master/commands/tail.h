/* tail.h: events as they pass, for clients of the control socket. Each worker sends the decoded events that match into
 * a tap (ipc/tap.h), and the master passes them on. Neither side waits: it leaves out events that do not fit, and
 * counts them. */
#ifndef FIREHOSED_MASTER_COMMANDS_TAIL_H
#define FIREHOSED_MASTER_COMMANDS_TAIL_H

#include "master/commands/command.h"

/* A worker was started: gives it the taps. */
void tail_tell(struct master *m, unsigned worker);

/* Once a second: sends a sign of life to clients for which no event passes. */
void tail_tick(struct master *m);

/* Ends all tails. The control socket frees their calls. */
void tail_end(struct master *m);

#endif
