/* store_begin.c: what the master makes sure of before the first event is read: that nobody else can write any more,
 * where to read on, and that the marks fit that.
 *
 *   (the slots are taken: store_owner.c)       a transaction of any earlier worker fails from now on
 *   WATCH owner:master                         what is written below fails if another one takes the slots
 *   GET cursor · HMGET progress cursor relay   what was saved, its copy with the marks, and whose sequence it is
 *   HMGET progress 0 … 63                      read last: nothing can change them now
 *   MULTI · [DEL progress cursor] · HSET progress relay … run … · SET cursor · HSET progress cursor … [marks] · EXEC
 *
 * Where cursor and copy differ, somebody else has set the cursor (the service that ran meanwhile, an operator who wants
 * a replay): the cursor wins, and marks above it are lowered to it. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

/* A cursor as text; false: it is something else. */
static bool parse_cursor(const char *text, int64_t *cursor)
{
    char *end;
    errno = 0;
    *cursor = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *cursor >= 0;
}

/* ---- asking ---- */

static void ask_marks(struct store *s, enum purpose purpose)
{
    struct buffer marks;
    buffer_init(&marks);
    progress_append_read(&marks, s->keys.progress);
    redis_client_append(s->client, &marks);
    buffer_fini(&marks);
    store_expect(s, purpose, 0);
}

/* Watched before it is read: who has taken the slots meanwhile decides on other grounds, and what we write then is
 * not executed, however long it was on its way. */
static void read_all(struct store *s)
{
    store_watch_owner(s);
    redis_client_command(s->client, "GET %s", s->keys.cursor);
    store_expect(s, FOR_CURSOR, 0);
    redis_client_command(s->client, "HMGET %s cursor relay", s->keys.progress);
    store_expect(s, FOR_COPY, 0);
    redis_client_command(s->client, "TYPE %s", s->config->stream_key);
    store_expect(s, FOR_TYPE, 0);
    ask_marks(s, FOR_MARKS);
}

static void start_wanted(struct store *s)
{
    if (s->state == STORE_READY && s->wanted != BEGIN_NOTHING)
        store_take_all(s);
}

void store_begin(struct store *s, const struct store_keys *keys, bool rewind)
{
    s->keys = *keys;
    s->wanted = rewind ? BEGIN_REWIND : BEGIN_FIRST;
    start_wanted(s);
}

void store_begin_relay(struct store *s, const struct store_keys *keys)
{
    s->keys = *keys;
    s->wanted = BEGIN_RELAY;
    s->has_saved = false;
    start_wanted(s);
}

void store_begin_anew(struct store *s, const struct store_keys *keys, bool from_oldest)
{
    s->keys = *keys;
    s->wanted = BEGIN_ANEW;
    s->from_oldest = from_oldest;
    start_wanted(s);
}

void store_begin_at(struct store *s, const struct store_keys *keys, int64_t cursor)
{
    s->keys = *keys;
    s->wanted = BEGIN_AT;
    s->at = cursor;
    start_wanted(s);
}

void store_take_slots(struct store *s)
{
    s->wanted = BEGIN_SLOTS;
    start_wanted(s);
}

void store_begin_connected(struct store *s)
{
    s->is_verified = !s->has_begun;
    /* Not where the relay has changed: what this Redis has of it was never known here. */
    if (s->has_begun && s->wanted != BEGIN_RELAY) {
        redis_client_command(s->client, "HMGET %s cursor relay", s->keys.progress);
        store_expect(s, FOR_VERIFY, 0);
        for (int p = 0; p < PARTITIONS; p++)
            s->known_before.seq[p] = atomic_load_explicit(&s->known->seq[p], memory_order_relaxed);
        ask_marks(s, FOR_VERIFY_MARKS);
    }
    start_wanted(s);
}

/* ---- deciding ---- */

void store_note_run(struct store *s)
{
    const char *run = redis_client_sound_run(s->client);
    if (run[0] == '\0')
        return;
    redis_client_command(s->client, "HSET %s run %s", s->config->progress_key, run);
    store_expect(s, FOR_NOTHING, 0);
}

/* Makes the marks fit the cursor, and writes both with the relay's name. */
static void write_fit(struct store *s, bool drop_marks)
{
    char cursor[24];
    uint64_t lowered = 0;
    for (int p = 0; p < PARTITIONS && s->has_cursor && s->wanted != BEGIN_REWIND && !drop_marks; p++)
        if (s->marks.seq[p] > s->cursor &&
            (s->wanted == BEGIN_AT || !s->has_copy || s->copy != s->cursor || s->stream_is_gone)) {
            s->marks.seq[p] = s->cursor;
            lowered |= UINT64_C(1) << p;
        }
    if (lowered != 0 && s->stream_is_gone)
        log_error("key %s is no stream: what it held is gone, events after cursor %" PRId64 " are written again",
                  s->config->stream_key, s->cursor);
    else if (lowered != 0)
        log_info("cursor %" PRId64
                 " was set from outside: events after it are written again where they are already there",
                 s->cursor);
    redis_client_command(s->client, "MULTI");
    store_expect(s, FOR_NOTHING, 0);
    if (drop_marks) {
        s->marks = (struct marks){0};
        redis_client_command(s->client, "DEL %s %s", s->keys.progress, s->keys.cursor);
        store_expect(s, FOR_NOTHING, 0);
    }
    redis_client_command(s->client, "HSET %s relay %s", s->keys.progress, s->keys.relay);
    store_expect(s, FOR_NOTHING, 0);
    store_note_run(s);
    if (s->has_cursor) {
        /* With its copy always: a cursor that differs from it would be taken, at the next start, for one that was set
         * from outside. */
        snprintf(cursor, sizeof cursor, "%" PRId64, s->cursor);
        redis_client_command(s->client, "SET %s %s", s->keys.cursor, cursor);
        store_expect(s, FOR_NOTHING, 0);
        redis_client_command(s->client, "HSET %s cursor %s", s->keys.progress, cursor);
        store_expect(s, FOR_NOTHING, 0);
    }
    if (lowered != 0) {
        struct buffer marks;
        buffer_init(&marks);
        progress_append_write(&marks, s->keys.progress, &s->marks, lowered);
        redis_client_append(s->client, &marks);
        buffer_fini(&marks);
        store_expect(s, FOR_NOTHING, 0);
    }
    redis_client_command(s->client, "EXEC");
    store_expect(s, FOR_FIT, 0);
}

static void decide(struct store *s)
{
    bool drop_marks = false;
    if (s->wanted == BEGIN_REWIND) {
        /* What lay in Redis when it was found again is as old as its marks; what was saved since may be too new. */
        if (s->has_copy && (!s->has_cursor || s->copy < s->cursor)) {
            s->cursor = s->copy;
            s->has_cursor = true;
        }
    } else if (s->wanted == BEGIN_AT) {
        s->has_cursor = true;
        s->cursor = s->at;
    } else if (s->wanted == BEGIN_ANEW) {
        s->has_cursor = s->from_oldest;
        s->cursor = 0;
        drop_marks = true;
    } else if (s->knows_relay && !s->same_relay) {
        if (!s->hooks.may_drop(s->hooks.arg))
            return;
        log_warn(
            "the saved cursor and marks belong to another relay: this is a new sequence, they are not used");
        s->has_cursor = false;
        drop_marks = true;
    } else if (!s->has_cursor && s->has_copy) {
        drop_marks = true; /* whoever deleted the cursor wants to begin anew */
    }
    write_fit(s, drop_marks);
}

static void on_cursor(struct store *s, const redisReply *reply)
{
    char why[ERROR_TEXT_BYTES];
    const char *text = reply->str != NULL ? reply->str : "not a string";
    s->has_cursor = reply->type == REDIS_REPLY_STRING && parse_cursor(text, &s->cursor);
    if (s->has_cursor || reply->type == REDIS_REPLY_NIL)
        return;
    snprintf(why, sizeof why,
             "cursor in %s: %.100s; expected a decimal number. Waiting until it is one, or is deleted",
             s->keys.cursor, text);
    store_lose(s, why);
}

static bool read_copy(struct store *s, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        store_lose(s, reply->str != NULL ? reply->str : "the progress key is not a hash");
        return false;
    }
    const redisReply *copy = reply->element[0], *relay = reply->element[1];
    s->has_copy = copy->type == REDIS_REPLY_STRING && parse_cursor(copy->str, &s->copy);
    s->knows_relay = relay->type == REDIS_REPLY_STRING;
    s->same_relay = s->knows_relay && strcmp(relay->str, s->keys.relay) == 0;
    return true;
}

static void on_fit(struct store *s, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_NIL) {
        store_lose(s, "another firehosed has taken the slots while this one began; it is tried again");
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY) {
        store_lose(s, reply->str != NULL ? reply->str : "the marks could not be written");
        return;
    }
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            store_lose(s, reply->element[i]->str);
            return;
        }
    s->wanted = BEGIN_NOTHING;
    s->has_begun = s->is_verified = true;
    s->has_saved = s->has_cursor;
    s->saved = s->cursor;
    s->has_copy = s->has_cursor;
    s->copy = s->cursor;
    for (int p = 0; p < PARTITIONS; p++)
        atomic_store_explicit(&s->known->seq[p], s->marks.seq[p], memory_order_relaxed);
    s->hooks.begun(s->hooks.arg, s->has_cursor ? optional_of(s->cursor) : optional_none());
}

/* A new connection may lead to a Redis that is older than what was saved in it: after a failover, or a crash.
 */
static void on_verify(struct store *s, const redisReply *reply)
{
    if (!read_copy(s, reply))
        return;
    s->is_verified = !s->knows_relay;
    if (!s->knows_relay)
        log_error("redis: %s is gone altogether: going on from the cursor that this process holds",
                  s->keys.progress);
    else if (s->has_saved && s->has_copy && s->copy < s->saved) {
        log_error("redis has lost data: the cursor that was saved as %" PRId64 " is back at %" PRId64,
                  s->saved, s->copy);
        s->hooks.data_lost(s->hooks.arg);
    }
}

/* The marks may have gone back where the cursor was saved before. They are compared before it may be saved again: it
 * would be ahead of what is left. */
static void on_verify_marks(struct store *s, const redisReply *reply)
{
    struct marks marks;
    bool lost = s->knows_relay && s->has_saved && s->has_copy && s->copy < s->saved; /* said already */
    if (!progress_parse(reply, &marks)) {
        store_lose(s, reply->str != NULL ? reply->str : "the marks are not a hash");
        return;
    }
    if (lost || !s->knows_relay)
        return;
    for (int p = 0; p < PARTITIONS; p++)
        if (marks.seq[p] < s->known_before.seq[p]) {
            log_error("redis has lost data: the mark of partition %d was %" PRId64 ", and is back at %" PRId64, p,
                      s->known_before.seq[p], marks.seq[p]);
            s->hooks.data_lost(s->hooks.arg);
            return;
        }
    s->is_verified = true;
}

void store_begin_on_reply(struct store *s, enum purpose purpose, const redisReply *reply)
{
    if (purpose == FOR_VERIFY) {
        on_verify(s, reply);
        return;
    }
    if (purpose == FOR_VERIFY_MARKS) {
        on_verify_marks(s, reply);
        return;
    }
    if (s->wanted == BEGIN_NOTHING)
        return;
    switch (purpose) {
    case FOR_EPOCH:
        store_on_epoch(s, reply);
        break;
    case FOR_SLOTS:
        if (reply->type == REDIS_REPLY_NIL) {
            start_wanted(s); /* somebody else did the same at the same time */
        } else if (reply->type != REDIS_REPLY_ARRAY) {
            store_lose(s, reply->str != NULL ? reply->str : "the slots could not be taken");
        } else if (s->wanted == BEGIN_SLOTS) {
            s->wanted = BEGIN_NOTHING;
            s->hooks.slots_taken(s->hooks.arg);
        } else {
            read_all(s);
        }
        break;
    case FOR_CURSOR:
        on_cursor(s, reply);
        break;
    case FOR_TYPE:
        s->stream_is_gone = reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "stream") != 0 &&
                            strcmp(reply->str, "none") != 0;
        break;
    case FOR_COPY: {
        /* When rewinding, what counts is how it was when the connection was made. */
        bool had_copy = s->has_copy;
        int64_t copy = s->copy;
        if (read_copy(s, reply) && s->wanted == BEGIN_REWIND && had_copy &&
            (!s->has_copy || copy < s->copy)) {
            s->has_copy = true;
            s->copy = copy;
        }
        break;
    }
    case FOR_MARKS:
        if (!progress_parse(reply, &s->marks))
            store_lose(s, reply->str != NULL ? reply->str : "the marks are not a hash");
        else
            decide(s);
        break;
    case FOR_FIT:
        on_fit(s, reply);
        break;
    default:
        break;
    }
}
