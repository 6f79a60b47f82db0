#include "config.h"

#include "fencing.h"

#include <stdio.h>

#include "base/log.h"

/* ---- deciding ---- */

static struct fencing_decision step(enum fencing_step step) { return (struct fencing_decision){.step = step}; }

static struct fencing_decision leave(int status)
{
    return (struct fencing_decision){.step = FENCING_LEAVE, .exit_status = status};
}

static struct fencing_decision write_marks(uint64_t partitions)
{
    return (struct fencing_decision){.step = FENCING_WRITE_MARKS, .partitions = partitions};
}

/* Bits of our partitions whose mark in Redis is below what was committed for certain. */
static uint64_t marks_behind(const struct fencing_case *c)
{
    uint64_t behind = 0;
    for (int p = 0; p < PARTITIONS; p++)
        if (c->marks.seq[p] < c->known.seq[p])
            behind |= UINT64_C(1) << p;
    return behind & c->own;
}

/* The same, but above it. */
static uint64_t marks_ahead(const struct fencing_case *c)
{
    uint64_t ahead = 0;
    for (int p = 0; p < PARTITIONS; p++)
        if (c->marks.seq[p] > c->known.seq[p])
            ahead |= UINT64_C(1) << p;
    return ahead & c->own;
}

/* Bits of our partitions whose mark is ahead of what was committed, while another type of key stands where the stream
 * was. A transaction of which nobody knows whether it was executed failed on that key while its marks went ahead, or
 * lost its events with the stream: either way its events are to be written again. */
static uint64_t marks_in_doubt(const struct fencing_case *c)
{
    uint64_t ahead = c->stream_is_gone ? marks_ahead(c) : 0;
    for (int p = 0; p < PARTITIONS; p++)
        if (c->known.seq[p] == 0)
            ahead &= ~(UINT64_C(1) << p);
    return ahead;
}

/* A transaction is executed whole or not at all: the marks of the batch tell. */
static bool batch_was_executed(const struct fencing_case *c)
{
    if (c->batch == NULL || c->batch->touched == 0)
        return false;
    for (int p = 0; p < PARTITIONS; p++)
        if ((c->batch->touched >> p & 1) && c->marks.seq[p] < c->batch->marks.seq[p])
            return false;
    return true;
}

static struct fencing_decision compare_marks(const struct fencing_case *c)
{
    uint64_t behind = marks_behind(c);
    /* The marks went ahead of the commands that failed: back to what is known, or nothing would be written again. */
    uint64_t ahead = c->must_repair && c->batch != NULL ? marks_ahead(c) & c->batch->touched : 0;
    if (ahead != 0)
        return write_marks(ahead);
    if (c->has_part_failed)
        return step(FENCING_RETRY_LATER);
    if (behind != 0)
        return c->has_hash ? leave(IPC_EXIT_MARKS_LOST) : write_marks(behind);
    return step(batch_was_executed(c) ? FENCING_GO_ON_COMMITTED : FENCING_GO_ON);
}

struct fencing_decision fencing_decide(const struct fencing_case *c)
{
    uint64_t in_doubt = c->has_read_marks ? marks_in_doubt(c) : 0;
    if (c->has_failed && (!c->has_read_marks || (!c->must_repair && in_doubt == 0)))
        return step(FENCING_RETRY_LATER);
    switch (c->slot) {
    case SLOT_OF_EARLIER_EPOCH:
        return leave(IPC_EXIT_MARKS_LOST);
    case SLOT_OF_LATER_FIREHOSED:
        return leave(IPC_EXIT_TAKEN_OVER);
    case SLOT_OF_SUCCESSOR:
        return leave(IPC_EXIT_OBSOLETE);
    case SLOT_NOBODYS:
    case SLOT_OF_PREDECESSOR:
        return step(FENCING_TAKE_SLOT);
    case SLOT_OURS:
        break;
    }
    if (c->must_take_slot)
        return step(FENCING_TAKE_SLOT);
    return in_doubt != 0 && !c->must_repair ? write_marks(in_doubt) : compare_marks(c);
}

/* ---- asking ---- */

enum fencing_reply { REPLY_WATCH, REPLY_OWNER, REPLY_STREAM, REPLY_DEAD_LETTERS, REPLY_MARKS, REPLY_RELAY };
enum { CHANGE_REPLIES = 3 }; /* of MULTI, one command, EXEC */

void fencing_init(struct fencing *f, const struct worker_setup *setup, const char *owner_key)
{
    *f = (struct fencing){.config = setup->config,
                          .owner_key = owner_key,
                          .progress_key = setup->progress_key,
                          .owner = setup->owner,
                          .own = setup->own,
                          .known = setup->known,
                          .found = {.own = setup->own}};
}

void fencing_fini(struct fencing *f) { buffer_fini(&f->request); }
void fencing_connected(struct fencing *f) { f->found.must_take_slot = true; }

void fencing_must_repair(struct fencing *f, const struct error *why)
{
    f->found.must_repair = true;
    f->partial = *why;
}

static void append_question(struct fencing *f)
{
    struct buffer *out = &f->request;
    resp_append_command(out, 2, "WATCH");
    resp_append_bulk(out, f->owner_key);
    resp_append_command(out, 2, "GET");
    resp_append_bulk(out, f->owner_key);
    resp_append_command(out, 2, "TYPE");
    resp_append_bulk(out, f->config->stream_key);
    resp_append_command(out, 2, "TYPE");
    resp_append_bulk(out, f->config->dead_letters_key);
    progress_append_read(out, f->progress_key);
    resp_append_command(out, 3, "HGET");
    resp_append_bulk(out, f->progress_key);
    resp_append_bulk(out, "relay");
    f->failure.text[0] = '\0';
}

void fencing_begin(struct fencing *f)
{
    buffer_clear(&f->request);
    f->replies = CHANGE_REPLIES; /* there is no change in front */
    append_question(f);
}

/* MULTI, the change, EXEC under the watch that is armed; and then everything is asked again. */
static void ask_for_change(struct fencing *f, const struct fencing_decision *d)
{
    struct buffer *out = &f->request;
    char mine[OWNER_TOKEN_BYTES];
    buffer_clear(out);
    f->replies = 0;
    buffer_append_literal(out, "*1\r\n$5\r\nMULTI\r\n");
    if (d->step == FENCING_TAKE_SLOT) {
        owner_format(&f->owner, mine);
        resp_append_command(out, 3, "SET");
        resp_append_bulk(out, f->owner_key);
        resp_append_bulk(out, mine);
    } else {
        const struct marks marks = known_page_read(f->known);
        progress_append_write(out, f->progress_key, &marks, d->partitions);
    }
    buffer_append_literal(out, "*1\r\n$4\r\nEXEC\r\n");
    append_question(f);
}

/* ---- answers ---- */

static void note_failure(struct fencing *f, const char *text)
{
    if (f->failure.text[0] == '\0')
        error_set(&f->failure, "%s", text);
}

static bool check_type(struct fencing *f, const char *key, const redisReply *reply)
{
    struct error why;
    if (!progress_is_no_stream(reply))
        return true;
    error_set(&why, "WRONGTYPE: key %s holds a %s, expected a stream (rename or delete it)", key, reply->str);
    note_failure(f, why.text);
    return false;
}

static enum slot_standing standing(struct fencing *f, const redisReply *reply)
{
    struct owner_token now;
    snprintf(f->holder, sizeof f->holder, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
    if (!owner_parse(f->holder, &now))
        return SLOT_NOBODYS;
    if (owner_epoch(&now) < owner_epoch(&f->owner))
        return SLOT_OF_EARLIER_EPOCH;
    if (now.instance != f->owner.instance)
        return SLOT_OF_LATER_FIREHOSED;
    return now.generation > f->owner.generation   ? SLOT_OF_SUCCESSOR
           : now.generation < f->owner.generation ? SLOT_OF_PREDECESSOR
                                                  : SLOT_OURS;
}

static void report(const struct fencing *f, const struct fencing_decision *d)
{
    if (d->step == FENCING_LEAVE && d->exit_status == IPC_EXIT_TAKEN_OVER)
        log_debug("the slot belongs to another firehosed (%s)", f->holder);
    else if (d->step == FENCING_LEAVE && d->exit_status == IPC_EXIT_OBSOLETE)
        log_debug("the slot belongs to a successor (%s)", f->holder);
    else if (d->step == FENCING_LEAVE && f->found.slot == SLOT_OF_EARLIER_EPOCH)
        log_error("redis has lost data: the owner of the slot is an earlier one again (%s)", f->holder);
    else if (d->step == FENCING_LEAVE)
        log_error("redis has lost data: marks in %s are older than what was committed", f->progress_key);
    else if (d->step == FENCING_WRITE_MARKS && !f->found.has_hash && !f->found.must_repair && !f->found.stream_is_gone)
        log_error(
            "the marks in %s are gone altogether: this worker continues from what it knows; earlier events are not "
            "read again",
            f->progress_key);
    else if (d->step == FENCING_GO_ON_COMMITTED)
        log_info("the transaction in flight was executed: it is not sent again");
}

/* Keeps what the next round needs to know. */
static void conclude(struct fencing *f, const struct fencing_decision *d)
{
    const struct fencing_case *c = &f->found;
    bool can_repair = c->slot == SLOT_OURS && !c->must_take_slot && c->has_read_marks;
    if (d->step == FENCING_TAKE_SLOT || d->step == FENCING_WRITE_MARKS)
        ask_for_change(f, d);
    if (d->step == FENCING_RETRY_LATER) {
        if (c->has_part_failed && (!c->has_failed || (c->must_repair && can_repair)))
            f->failure = f->partial; /* the marks are back: the failed commands are tried again in a while */
        f->partial.text[0] = '\0';
    }
    if (can_repair && d->step != FENCING_WRITE_MARKS)
        f->found.must_repair = false; /* Redis has confirmed the marks: the connection may have broken before */
    if (d->step != FENCING_GO_ON && d->step != FENCING_GO_ON_COMMITTED)
        return;
    for (int p = 0; p < PARTITIONS && !f->has_marks; p++)
        if (f->own >> p & 1)
            atomic_store_explicit(&f->known->seq[p], f->found.marks.seq[p], memory_order_relaxed);
    f->has_marks = true;
}

static struct fencing_decision decide(struct fencing *f, const struct batch *batch)
{
    f->found.known = known_page_read(f->known);
    f->found.batch = batch;
    f->found.has_failed = f->failure.text[0] != '\0';
    f->found.has_part_failed = f->partial.text[0] != '\0';
    const struct fencing_decision d = fencing_decide(&f->found);
    report(f, &d);
    conclude(f, &d);
    return d;
}

struct fencing_decision fencing_take(struct fencing *f, const redisReply *reply, const struct batch *batch)
{
    size_t i = f->replies++;
    if (reply->type == REDIS_REPLY_ERROR)
        note_failure(f, reply->str);
    /* The change was executed, whatever it was, so nobody has taken the slot since the watch. */
    if (i == CHANGE_REPLIES - 1 && reply->type == REDIS_REPLY_ARRAY)
        f->found.must_take_slot = false;
    if (i < CHANGE_REPLIES)
        return step(FENCING_WAIT);
    switch ((enum fencing_reply)(i - CHANGE_REPLIES)) {
    case REPLY_WATCH:
        break;
    case REPLY_OWNER:
        f->found.slot = standing(f, reply);
        break;
    case REPLY_STREAM:
        f->found.stream_is_gone = !check_type(f, f->config->stream_key, reply);
        break;
    case REPLY_DEAD_LETTERS:
        check_type(f, f->config->dead_letters_key, reply);
        break;
    case REPLY_MARKS:
        f->found.has_read_marks = progress_parse(reply, &f->found.marks);
        if (!f->found.has_read_marks && f->failure.text[0] == '\0')
            error_set(&f->failure, "key %s is not a hash of marks", f->progress_key);
        break;
    case REPLY_RELAY:
        f->found.has_hash = reply->type == REDIS_REPLY_STRING;
        return decide(f, batch);
    }
    return step(FENCING_WAIT);
}
