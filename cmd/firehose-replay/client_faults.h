/* client_faults.h: applies the faults that are due on a client's connection. */
#ifndef FIREHOSE_REPLAY_CLIENT_FAULTS_H
#define FIREHOSE_REPLAY_CLIENT_FAULTS_H

#include "client.h"

/* Applies the faults that are due after the frames sent so far; may enter another state. Call it before the first frame
 * and after each. */
void client_apply_faults(struct client *c);

/* Logs that a fault fires. */
void client_say_fault(const struct client *c, const char *fault);

#endif
