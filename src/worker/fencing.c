/* claim.c: what a worker makes sure of before it writes: that the slot is its own, that the keys are of the
 * right type, and how far the marks are. All of it is asked in one round trip:
 *
 *   WATCH owner · GET owner · TYPE stream · TYPE dead letters · HMGET progress 0 … 63 · HGET progress relay
 *
 * WATCH stands first: whatever changes the owner after it makes the next EXEC fail. Where the answers call
 * for a change (the slot is to be taken, marks are to be put back) that is made, and all is asked again. On
 * each new connection the slot is taken anew, even where it is ours: what this worker has sent over an earlier
 * one may still be on its way, was watched under the same owner, and would be executed beside its retry. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "writer.h"

enum fencing_reply {
    FENCING_WATCH,
    FENCING_OWNER,
    FENCING_STREAM,
    FENCING_DEAD_LETTERS,
    FENCING_MARKS,
    FENCING_RELAY,
    FENCING_REPLIES
};
enum { CHANGE_REPLIES = 3 }; /* of MULTI, one command, EXEC */

static void ask(struct writer *w)
{
    struct buffer *out = &w->guard;
    resp_append_command(out, 2, "WATCH");
    resp_append_bulk(out, w->owner_key);
    resp_append_command(out, 2, "GET");
    resp_append_bulk(out, w->owner_key);
    resp_append_command(out, 2, "TYPE");
    resp_append_bulk(out, w->config->stream_key);
    resp_append_command(out, 2, "TYPE");
    resp_append_bulk(out, w->config->dead_letters_key);
    progress_append_read(out, w->progress_key);
    resp_append_command(out, 3, "HGET");
    resp_append_bulk(out, w->progress_key);
    resp_append_bulk(out, "relay");
    w->failure.text[0] = '\0';
    writer_enter(w, WRITER_FENCING);
    w->deadline_ms = clock_monotonic_ms() + w->config->redis_reply_timeout;
    if (out->failed)
        writer_lose(w, "out of memory");
    else
        redis_client_send(w->client, out->data, out->len);
}

void fencing_begin(struct writer *w)
{
    buffer_clear(&w->guard);
    w->replies = CHANGE_REPLIES; /* there is no change in front */
    ask(w);
}

/* MULTI, the change, EXEC under the watch that is armed, and then everything is asked again. */
static void begin_change(struct writer *w)
{
    buffer_clear(&w->guard);
    buffer_append_literal(&w->guard, "*1\r\n$5\r\nMULTI\r\n");
    w->replies = 0;
}

static void end_change(struct writer *w)
{
    buffer_append_literal(&w->guard, "*1\r\n$4\r\nEXEC\r\n");
    ask(w);
}

static void take_slot(struct writer *w)
{
    char mine[OWNER_TOKEN_BYTES];
    owner_format(&w->owner, mine);
    begin_change(w);
    resp_append_command(&w->guard, 3, "SET");
    resp_append_bulk(&w->guard, w->owner_key);
    resp_append_bulk(&w->guard, mine);
    end_change(w);
}

static void write_known(struct writer *w, uint64_t which)
{
    struct marks marks;
    for (int p = 0; p < PARTITIONS; p++)
        marks.seq[p] = atomic_load_explicit(&w->known->seq[p], memory_order_relaxed);
    begin_change(w);
    progress_append_write(&w->guard, w->progress_key, &marks, which);
    end_change(w);
}

/* Whose slot it is. True: ours, go on. */
static bool check_owner(struct writer *w)
{
    struct owner_token now;
    if (!owner_parse(w->claimed_by, &now)) { /* nobody's: the key is gone, or never was */
        take_slot(w);
        return false;
    }
    if (now.instance != w->owner.instance && owner_epoch(&now) < owner_epoch(&w->owner)) {
        log_error("redis has lost data: the slot belongs to an earlier firehosed again (%s)", w->claimed_by);
        exit(IPC_EXIT_MARKS_LOST);
    }
    if (now.instance != w->owner.instance) {
        log_debug("the slot belongs to another firehosed (%s)", w->claimed_by);
        exit(IPC_EXIT_TAKEN_OVER);
    }
    if (now.generation > w->owner.generation) {
        log_debug("the slot belongs to a successor (%s)", w->claimed_by);
        exit(IPC_EXIT_OBSOLETE);
    }
    if (now.generation < w->owner.generation || w->must_fence) {
        take_slot(w);
        return false;
    }
    return true;
}

static void check_type(struct writer *w, const char *key, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "stream") != 0 &&
        strcmp(reply->str, "none") != 0 && w->failure.text[0] == '\0')
        error_set(&w->failure, "WRONGTYPE: key %s holds a %s, expected a stream (rename or delete it)", key,
                  reply->str);
}

/* Bits of our partitions whose mark in Redis is below what was committed for certain. */
static uint64_t marks_behind(const struct writer *w)
{
    uint64_t behind = 0;
    for (int p = 0; p < PARTITIONS; p++)
        if ((w->own >> p & 1) &&
            w->marks.seq[p] < atomic_load_explicit(&w->known->seq[p], memory_order_relaxed))
            behind |= UINT64_C(1) << p;
    return behind;
}

/* The batch that was in flight when the connection broke: a transaction is executed whole or not at all. */
static bool batch_was_executed(const struct writer *w)
{
    if (w->batch == NULL || w->batch->touched == 0)
        return false;
    for (int p = 0; p < PARTITIONS; p++)
        if ((w->batch->touched >> p & 1) && w->marks.seq[p] < w->batch->marks.seq[p])
            return false;
    return true;
}

static void compare_marks(struct writer *w, bool has_hash)
{
    uint64_t behind = marks_behind(w);
    if (w->must_repair) {
        /* Some commands failed inside EXEC while the marks went ahead: back to what is known, or nothing
         * would be written again. */
        uint64_t touched = w->batch != NULL ? w->batch->touched : 0;
        w->must_repair = false;
        if (touched != 0) {
            write_known(w, touched);
            return;
        }
    }
    if (w->partial.text[0] != '\0') { /* the marks are back: what failed is tried again in a while */
        w->failure = w->partial;
        w->partial.text[0] = '\0';
        writer_retry_later(w);
        return;
    }
    if (behind != 0 && has_hash) {
        log_error("redis has lost data: marks in %s are older than what was committed",
                  w->progress_key);
        exit(IPC_EXIT_MARKS_LOST);
    }
    if (behind != 0) {
        log_error("the marks in %s are gone altogether: going on from what this process knows; events before "
                  "are not "
                  "read again",
                  w->progress_key);
        write_known(w, behind);
        return;
    }
    if (batch_was_executed(w)) {
        log_info("the transaction that was in flight was executed: not sent again");
        writer_take_as_committed(w);
    }
    if (!w->has_marks)
        for (int p = 0; p < PARTITIONS; p++)
            if (w->own >> p & 1)
                atomic_store_explicit(&w->known->seq[p], w->marks.seq[p], memory_order_relaxed);
    w->has_marks = true;
    writer_go_on(w);
}

/* Another type of key stands where the stream was: what it held is gone. A transaction of which nobody knows whether it
 * was executed (its worker was killed, its connection broke) failed on that key while its marks went ahead, or lost its
 * events with the stream: either way they are to be written again. */
static uint64_t marks_in_doubt(const struct writer *w)
{
    uint64_t ahead = 0;
    for (int p = 0; p < PARTITIONS && w->stream_is_gone; p++) {
        int64_t known = atomic_load_explicit(&w->known->seq[p], memory_order_relaxed);
        if ((w->own >> p & 1) && known != 0 && w->marks.seq[p] > known)
            ahead |= UINT64_C(1) << p;
    }
    return ahead;
}

static void decide(struct writer *w, bool has_hash)
{
    uint64_t in_doubt = w->has_read_marks ? marks_in_doubt(w) : 0;
    if (w->failure.text[0] != '\0' && (!w->has_read_marks || (!w->must_repair && in_doubt == 0))) {
        w->partial.text[0] = '\0'; /* this is the newer reason */
        writer_retry_later(w);
        return;
    }
    if (!check_owner(w))
        return;
    if (in_doubt != 0 && !w->must_repair)
        write_known(w, in_doubt);
    else
        compare_marks(w, has_hash);
}

void fencing_on_reply(struct writer *w, const redisReply *reply)
{
    size_t i = w->replies++;
    bool is_text = reply->type == REDIS_REPLY_STRING;
    if (reply->type == REDIS_REPLY_ERROR && w->failure.text[0] == '\0')
        error_set(&w->failure, "%s", reply->str);
    if (i == CHANGE_REPLIES - 1 && reply->type == REDIS_REPLY_ARRAY)
        w->must_fence = false; /* whatever the change was, it was executed after the owner was set: see decide() */
    if (i < CHANGE_REPLIES)
        return;
    switch ((enum fencing_reply)(i - CHANGE_REPLIES)) {
    case FENCING_WATCH:
        break;
    case FENCING_OWNER:
        snprintf(w->claimed_by, sizeof w->claimed_by, "%s", is_text ? reply->str : "");
        break;
    case FENCING_STREAM:
        w->stream_is_gone = reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "stream") != 0 &&
                            strcmp(reply->str, "none") != 0;
        check_type(w, w->config->stream_key, reply);
        break;
    case FENCING_DEAD_LETTERS:
        check_type(w, w->config->dead_letters_key, reply);
        break;
    case FENCING_MARKS:
        w->has_read_marks = progress_parse(reply, &w->marks);
        if (!w->has_read_marks && w->failure.text[0] == '\0')
            error_set(&w->failure, "key %s is not a hash of marks", w->progress_key);
        break;
    case FENCING_RELAY:
        decide(w, is_text);
        break;
    case FENCING_REPLIES:
        break;
    }
}
