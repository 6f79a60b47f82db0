/* batch.h: the events of one Redis transaction, from raw frames to the bytes that are sent.
 *
 * A batch is built while the one before it is executed, sent as it is, and kept until EXEC is answered: a retry sends
 * the same bytes. Nothing is counted before it is committed. */
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

/* What every XADD begins with, made once from the configuration. */
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
    size_t frames;       /* that it stands for */
    uint64_t last_id;    /* of the last frame: what is acked */
    struct marks marks;  /* of the partitions in `touched`: the last seq that is in it */
    uint64_t touched;
    bool is_retry; /* is not tried again where nobody knows whether it was executed */
    uint64_t counts[COUNTERS];
    struct event_times times;
};

void batch_init(struct batch *b);
void batch_fini(struct batch *b);

/* Empties it for the next events. */
void batch_begin(struct batch *b);

/* Decodes one frame and adds what it gives: an event, a dead letter, or nothing. The frame's bytes are not needed
 * afterwards. *event tells what became of it (EVENT_REFUSED: it went to the dead letters). False: memory is short, the
 * batch is as before. */
bool batch_add(struct batch *b, const struct batch_format *f, struct event_encoder *encoder,
               const struct frame_ref *ref, const uint8_t *frame, struct event *event,
               enum event_outcome *outcome);

/* Adds a frame with a verdict: a dead letter, without decoding it. False: memory is short, as above. */
bool batch_add_condemned(struct batch *b, const struct batch_format *f, const struct frame_ref *ref,
                         const uint8_t *frame);

/* A batch of its own for the frame of a dead letter: its event, and the deletion of that entry. It has no mark and
 * counts nowhere; *why tells when there is nothing to write. */
bool batch_retry(struct batch *b, const struct batch_format *f, struct event_encoder *encoder,
                 const struct frame_ref *ref, const uint8_t *frame, struct event *event,
                 const char *dead_letters_key, const char *entry, struct error *why);

/* A frame that is in the stream already: it only counts. */
void batch_add_duplicate(struct batch *b, const struct frame_ref *ref);

/* Ends the transaction: the marks go in with the events, and behind EXEC, in the same round trip, stands the guard of
 * the next transaction: WATCH and GET of the owner key. After this only out.data and the counts are of interest. */
void batch_finish(struct batch *b, const char *progress_key, const char *owner_key);

/* EXEC was executed, and of its answers those whose bit is set in `failed` (one a command) are errors: takes all others
 * out, so that trying again does not write twice what is written. The marks stay in. */
void batch_keep_failed(struct batch *b, const bool *failed);

/* How many elements EXEC answers with: one a command, and HSET's. */
static inline size_t batch_results(const struct batch *b) { return b->commands + (b->touched != 0); }

/* Which of the replies is EXEC's: behind MULTI's and a QUEUED for each command. Two more follow: WATCH's, GET's. */
static inline size_t batch_exec_reply(const struct batch *b) { return batch_results(b) + 1; }
enum { BATCH_GUARD_REPLIES = 2 };

#endif
