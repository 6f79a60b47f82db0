/* serve_client.h: a client's connection: reading, writing, deadlines. */
#ifndef FIREHOSE_REPLAY_SERVE_CLIENT_H
#define FIREHOSE_REPLAY_SERVE_CLIENT_H

#include "client.h"

/* Makes a client for the descriptor, and takes the descriptor over. */
void client_accept(struct server *s, int fd);

/* Closes the connection at once. */
void client_free(struct client *c);

/* Checks deadlines and sends pings, once a second. May free the client. */
void client_tick(struct client *c, int64_t now_ms);

#endif
