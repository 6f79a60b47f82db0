/* retry.h: a dead letter that an operator wants to be tried again: a transaction of its own, between two batches. */
#ifndef FIREHOSED_WORKER_RETRY_H
#define FIREHOSED_WORKER_RETRY_H

#include <stdbool.h>

#include "ipc/channel.h"
#include "worker/batch.h"

struct retry {
    uint64_t number; /* the master's; 0: there is none */
    char entry[64];
    struct frame_ref ref;
    uint8_t *frame;
    struct batch batch;
    bool in_flight;
    bool has_answer; /* the master is to be told how it ended */
    struct ipc_message answer;
};

void retry_init(struct retry *r);

/* Takes the master's message with the file; the descriptor is taken over. */
void retry_take(struct retry *r, const struct ipc_message *m, int fd);

/* Returns whether there is one that waits to be written. */
static inline bool retry_waits(const struct retry *r) { return r->number != 0 && !r->in_flight && !r->has_answer; }

/* Makes the batch. Returns false if there is nothing to write; the answer tells why. */
bool retry_prepare(struct retry *r, const struct batch_format *f, struct event_encoder *encoder, struct event *event,
                   const char *dead_letters_key);

/* Notes how it ended. */
void retry_end(struct retry *r, bool ok, const char *why);

/* Tells the master if there is an answer and the channel has room for it. */
void retry_send_answer(struct retry *r, const struct channel *channel);

#endif
