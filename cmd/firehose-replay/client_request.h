/* client_request.h: a client's HTTP request, which is refused, or gives a position in the sequence. */
#ifndef FIREHOSE_REPLAY_CLIENT_REQUEST_H
#define FIREHOSE_REPLAY_CLIENT_REQUEST_H

#include "client.h"

/* Reads what has arrived of the request. Answers a whole request and enters the next state. */
void client_read_request(struct client *c);

#endif
