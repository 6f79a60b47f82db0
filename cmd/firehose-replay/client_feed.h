/* client_feed.h: puts messages from the sequence into a client's buffer.
 *
 * A client that does not read costs its buffer and no more: the next messages come into the buffer only after all
 * before them are written. */
#ifndef FIREHOSE_REPLAY_CLIENT_FEED_H
#define FIREHOSE_REPLAY_CLIENT_FEED_H

#include "client.h"

/* Fills the buffer of a client that is STREAMING. May enter another state. */
void client_feed(struct client *c);

/* Sends ConsumerTooSlow to a client that has fallen too far behind, and ends the connection. */
void client_check_speed(struct client *c);

#endif
