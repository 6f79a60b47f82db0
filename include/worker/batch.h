/* batch.h: the events of one Redis transaction, from raw frames to the bytes that are sent.
 *
 * A batch is built while the one before it is in flight. It is kept until EXEC is answered, so that a retry sends the
 * same bytes. Nothing is counted before the batch is committed. */
#ifndef FIREHOSED_WORKER_BATCH_H
#define FIREHOSED_WORKER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/event_json.h"
#include "base/buffer.h"
#include "base/config.h"
#include "ipc/counters.h"
#include "base/error.h"
#include "ipc/channel.h"
#include "redis/progress.h"
#include "worker/timing.h"

/* The beginning of every XADD, made once from the configuration. */
struct batch_format {
    struct buffer event[FRAME_KINDS]; /* up to the data; empty for kinds that are not delivered */
    struct buffer trimming_event[FRAME_KINDS]; /* the same with MAXLEN */
    struct buffer dead_letter;
};

bool batch_format_init(struct batch_format *f, const struct config *config);
void batch_format_fini(struct batch_format *f);

struct batch {
    struct buffer out;   /* MULTI, one command an event, the marks, EXEC, and the guard of the next one */
    size_t commands;     /* between MULTI and EXEC */
    size_t json_at, json_len; /* in out: the last event's JSON */
    size_t frames;       /* that the batch stands for */
    uint64_t last_id;    /* of the last frame: the ack names it */
    struct marks marks;  /* of the partitions in `touched`: the last seq in the batch */
    uint64_t touched;
    bool is_retry; /* it is not sent again if nobody knows whether it was executed */
    uint64_t counts[COUNTERS];
    struct event_times times;
};

void batch_init(struct batch *b);
void batch_fini(struct batch *b);

/* Empties the batch for the next events. */
void batch_begin(struct batch *b);

/* Decodes one frame and adds its event, its dead letter, or nothing. The frame's bytes are not needed afterwards.
 * *outcome tells what became of the frame (EVENT_REFUSED: it went to the dead letters). Returns false if memory is
 * short; the batch is as before then. */
bool batch_add(struct batch *b, const struct batch_format *f, struct event_encoder *encoder,
               const struct frame_ref *ref, const uint8_t *frame, struct event *event,
               enum event_outcome *outcome);

/* Adds a frame with a verdict as a dead letter, without decoding it. Returns false as above. */
bool batch_add_condemned(struct batch *b, const struct batch_format *f, const struct frame_ref *ref,
                         const uint8_t *frame);

/* Makes a batch of its own for the frame of a dead letter: its event, and the deletion of that entry. It has no mark
 * and counts nowhere. Returns false if there is nothing to write; *why tells the reason. */
bool batch_retry(struct batch *b, const struct batch_format *f, struct event_encoder *encoder,
                 const struct frame_ref *ref, const uint8_t *frame, struct event *event,
                 const char *dead_letters_key, const char *entry, struct error *why);

/* Counts a frame whose event is in the stream already. */
void batch_add_duplicate(struct batch *b, const struct frame_ref *ref);

/* Ends the transaction. The marks go in with the events. Behind EXEC, in the same round trip, stands the guard of the
 * next transaction: WATCH and GET of the owner key. */
void batch_finish(struct batch *b, const char *progress_key, const char *owner_key);

/* EXEC was executed, and the commands that are marked in `failed` (one a command) failed. Takes all others out, so that
 * the retry does not write their events twice. The marks stay in. */
void batch_keep_failed(struct batch *b, const bool *failed);

/* Returns the number of EXEC's results: one a command, and HSET's. */
static inline size_t batch_results(const struct batch *b) { return b->commands + (b->touched != 0); }

/* Returns which reply is EXEC's: MULTI's and a QUEUED for each command precede it, WATCH's and GET's follow. */
static inline size_t batch_exec_reply(const struct batch *b) { return batch_results(b) + 1; }
enum { BATCH_GUARD_REPLIES = 2 };

#endif
