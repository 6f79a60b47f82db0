#include "config.h"

#include "begin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "slots.h"

/* In the order of the answers. */
static store_reply on_owner, on_slots, on_cursor, on_record, on_status, on_type, on_marks, on_fit;

void begin_want(struct begin *b, struct begin_order order)
{
    b->order = order;
    begin_start(b);
}

/* The owner is watched: of two firehosed that take the slots at the same time, only one succeeds. */
void begin_start(struct begin *b)
{
    if (b->session->state != SESSION_READY || !begin_is_under_way(b) || !letters_are_ready(b->letters))
        return; /* this is called again when they are */
    slots_watch(b->session);
    slots_ask(b->session, on_owner, b);
}

/* An answer is of no use if nothing is wanted any more. */
static bool is_of_use(struct begin *b, const redisReply *reply)
{
    if (!begin_is_under_way(b) && reply->type == REDIS_REPLY_ERROR)
        session_report(b->session, reply->str);
    return begin_is_under_way(b);
}

/* ---- the slots ---- */

static void on_owner(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    struct owner_token found;
    char key[OWNER_KEY_BYTES];
    if (!is_of_use(b, reply))
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        slots_master_key(b->session->config, key);
        session_lose_key(b->session, reply->str, key);
        return;
    }
    enum standing standing = slots_standing(b->owner, reply->type == REDIS_REPLY_STRING ? reply->str : NULL, &found);
    bool takes_over = b->order.kind == BEGIN_FIRST;
    b->found_outdated = standing == STANDING_OUTDATED && !takes_over;
    b->is_outdated = b->is_outdated || b->found_outdated; /* remembered here, as the owner is written now */
    if (b->is_outdated && b->order.kind == BEGIN_REWIND) {
        log_warn("redis is as it was before this process began its last sequence: that beginning is repeated");
        b->order = b->last_plan;
    }
    if (standing == STANDING_SUCCESSOR && !takes_over) {
        b->order.kind = BEGIN_NOTHING;
        b->hooks->taken_over(b->hooks->arg);
        return;
    }
    *b->owner = slots_next_token(b->owner, &found, takes_over);
    b->planned = slots_next_token(b->owner, &found, true);
    slots_take(b->session, b->owner, on_slots, b);
}

static void on_slots(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    struct session *c = b->session;
    if (!is_of_use(b, reply))
        return;
    if (reply->type == REDIS_REPLY_NIL) {
        begin_start(b); /* another firehosed took them at the same time */
    } else if (reply->type != REDIS_REPLY_ARRAY) {
        session_lose(c, reply->str != NULL ? reply->str : "the slots could not be taken");
    } else if (b->order.kind == BEGIN_SLOTS) {
        b->order.kind = BEGIN_NOTHING;
        if (b->found_outdated)
            b->hooks->data_lost(b->hooks->arg);
        else
            b->hooks->slots_taken(b->hooks->arg);
    } else {
        /* Watched before it is read: if another firehosed takes the slots now, what is written below is not executed,
         * however long it was on its way. */
        slots_watch(c);
        session_ask(c, on_cursor, b, "GET %s", b->keys->cursor);
        record_ask(c, b->keys, on_record, b);
        session_ask(c, on_status, b, "GET %s", c->config->status_key);
        session_ask(c, on_type, b, "TYPE %s", c->config->stream_key);
        record_ask_marks(c, b->keys, on_marks, b);
    }
}

/* ---- what Redis holds ---- */

static void on_cursor(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    char why[ERROR_TEXT_BYTES];
    if (!is_of_use(b, reply))
        return;
    b->found.cursor = record_parse_cursor(reply->type == REDIS_REPLY_STRING ? reply->str : NULL);
    if (b->found.cursor.is_known || reply->type == REDIS_REPLY_NIL)
        return;
    snprintf(why, sizeof why, "cursor in %s: %.100s; expected a decimal number. Waiting until it is one, or is deleted",
             b->keys->cursor, reply->str != NULL ? reply->str : "not a string");
    session_lose(b->session, why);
}

static void on_record(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    if (is_of_use(b, reply))
        record_take(b->session, b->keys, reply, &b->found.record);
}

static bool status_is_foreign(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && (reply->len == 0 || reply->str[reply->len - 1] != STORE_STATUS_END);
}

/* Only at a first start: later, this key tells nothing that the marks do not know better. */
static void on_status(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    const struct config *config = b->session->config;
    char why[ERROR_TEXT_BYTES];
    bool waits = config->foreign_writer == CONFIG_FOREIGN_WAIT && b->order.kind == BEGIN_FIRST;
    if (!is_of_use(b, reply) || !waits || b->found.record.knows_relay || !status_is_foreign(reply))
        return;
    snprintf(why, sizeof why, "another service still writes: it keeps %.100s fresh. Stop it; waiting until the key has "
             "expired (foreign_writer = ignore does not wait)", config->status_key);
    session_lose(b->session, why);
}

static void on_type(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    if (!is_of_use(b, reply))
        return;
    b->found.stream_is_gone = progress_is_no_stream(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        session_report(b->session, reply->str);
}

/* ---- making the marks fit ---- */

static void report_lowered(const struct begin *b)
{
    int64_t cursor = b->plan.cursor.value;
    if (b->plan.lowered != 0 && b->found.stream_is_gone)
        log_error("key %s is no stream: its events are gone, those after cursor %" PRId64 " are written again",
                  b->session->config->stream_key, cursor);
    else if (b->plan.lowered != 0)
        log_info("cursor %" PRId64 " was set from outside: events after it are written again, even those that the "
                 "stream still holds", cursor);
}

static void write_plan(struct begin *b)
{
    struct session *c = b->session;
    const struct store_keys *keys = b->keys;
    char cursor[24];
    session_tell(c, "MULTI");
    if (b->plan.drops_saved)
        session_tell(c, "DEL %s %s", keys->progress, keys->cursor);
    session_tell(c, "HSET %s relay %s", keys->progress, keys->relay);
    if (b->inherited.count > 0)
        session_tell(c, "HSET %s inherited %lld", keys->progress, (long long)b->inherited.newest);
    else if (b->found.record.inherited.is_known)
        session_tell(c, "HDEL %s inherited", keys->progress);
    session_note_run(c);
    if (b->plan.cursor.is_known) {
        /* Always with its copy: the next start would take a cursor that differs from it for one set from outside. */
        snprintf(cursor, sizeof cursor, "%" PRId64, b->plan.cursor.value);
        session_tell(c, "SET %s %s", keys->cursor, cursor);
        session_tell(c, "HSET %s cursor %s", keys->progress, cursor);
    }
    record_write_marks(c, keys, &b->plan.marks, b->plan.lowered);
    if (b->order.kind != BEGIN_REWIND)
        slots_append_all(c, &b->planned);
    session_ask(c, on_fit, b, "EXEC");
}

/* The connection may have broken, or something else be wanted, since the stream was asked for. */
static void make_plan(void *arg)
{
    struct begin *b = arg;
    if (!begin_is_under_way(b))
        return;
    if (!b->found.cursor.is_known && b->inherited.newest > 0) {
        b->found.cursor = optional_of(b->inherited.newest);
        log_warn("no cursor in %s, but %s has events: going on behind the newest, seq %" PRId64 " (start = stream)",
                 b->keys->cursor, b->session->config->stream_key, b->inherited.newest);
    }
    b->plan = begin_plan(&b->order, &b->found);
    if (b->plan.drops_another_relays) {
        if (!b->hooks->may_drop(b->hooks->arg))
            return;
        log_warn("the saved cursor and marks belong to another relay: this is a new sequence, they are not used");
    }
    report_lowered(b);
    write_plan(b);
}

static void on_marks(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    if (!is_of_use(b, reply) || !record_take_marks(b->session, b->keys, reply, &b->found.marks))
        return;
    inherited_forget(&b->inherited);
    if (inherited_is_wanted(b->order.kind, &b->found, b->session->config->start == CONFIG_START_STREAM))
        inherited_read(&b->inherited, b->found.cursor, make_plan, b);
    else
        make_plan(b);
}

static void on_fit(void *arg, const redisReply *reply)
{
    struct begin *b = arg;
    if (!is_of_use(b, reply))
        return;
    const char *error = redis_first_error(reply);
    if (reply->type == REDIS_REPLY_NIL)
        error = "another firehosed has taken the slots while this one began; this one tries again";
    else if (error == NULL && reply->type != REDIS_REPLY_ARRAY)
        error = "the marks could not be written";
    if (error != NULL) {
        session_lose(b->session, error);
        return;
    }
    if (b->order.kind != BEGIN_REWIND) {
        *b->owner = b->planned;
        b->is_outdated = false;
        b->last_plan = b->order;
        if (b->order.kind == BEGIN_FIRST)
            b->last_plan.kind = BEGIN_RELAY; /* the same plan, but it takes over from nobody */
    }
    b->order.kind = BEGIN_NOTHING;
    session_forget_trouble(b->session); /* it has written */
    verify_set_baseline(b->verify, b->plan.cursor, b->found.record.knows_relay, &b->plan.marks);
    b->hooks->begun(b->hooks->arg, b->plan.cursor);
}
