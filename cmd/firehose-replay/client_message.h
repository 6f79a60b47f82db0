/* client_message.h: the messages of com.atproto.sync.subscribeRepos that are not events. */
#ifndef FIREHOSE_REPLAY_CLIENT_MESSAGE_H
#define FIREHOSE_REPLAY_CLIENT_MESSAGE_H

#include "base/buffer.h"

/* Append a WebSocket message: an error frame, or #info. */
void append_error_message(struct buffer *out, const char *name, const char *message);
void append_info_message(struct buffer *out, const char *name, const char *message);

#endif
