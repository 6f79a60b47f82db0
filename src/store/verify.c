#include "config.h"

#include "verify.h"

#include <inttypes.h>

/* In the order of the answers. */
static store_reply on_owner, on_record, on_marks;

enum verify_result verify_compare(const struct verify_case *v, int *partition)
{
    if (v->standing == STANDING_SUCCESSOR)
        return VERIFY_TAKEN_OVER;
    if (v->standing == STANDING_OUTDATED)
        return VERIFY_OWNER_IS_OLD;
    if (!v->record.knows_relay)
        return VERIFY_KEY_GONE;
    if (v->saved.is_known && v->record.copy.is_known && v->record.copy.value < v->saved.value)
        return VERIFY_CURSOR_IS_OLD;
    for (int p = 0; p < PARTITIONS; p++)
        if (v->marks.seq[p] < v->known.seq[p]) {
            *partition = p;
            return VERIFY_MARK_IS_OLD;
        }
    return VERIFY_INTACT;
}

void verify_connected(struct verify *v, bool may_compare)
{
    v->is_verified = !v->has_baseline;
    if (v->has_baseline && may_compare)
        verify_ask(v, NULL, NULL);
}

void verify_ask(struct verify *v, verify_done *done, void *arg)
{
    v->done = done;
    v->arg = arg;
    v->asked.known = known_marks_read(v->known); /* before the question: workers commit meanwhile */
    slots_ask(v->session, on_owner, v);
    record_ask(v->session, v->keys, on_record, v);
    record_ask_marks(v->session, v->keys, on_marks, v);
}

static enum standing standing(const struct verify *v, const redisReply *reply)
{
    struct owner_token found;
    return slots_standing(v->owner, reply->type == REDIS_REPLY_STRING ? reply->str : NULL, &found);
}

static void on_owner(void *arg, const redisReply *reply)
{
    struct verify *v = arg;
    char key[OWNER_KEY_BYTES];
    v->asked.standing = standing(v, reply);
    if (reply->type != REDIS_REPLY_ERROR)
        return;
    slots_master_key(v->session->config, key);
    session_lose_key(v->session, reply->str, key);
}

static void on_record(void *arg, const redisReply *reply)
{
    struct verify *v = arg;
    if (record_take(v->session, v->keys, reply, &v->asked.record))
        v->knows_relay = v->asked.record.knows_relay;
}

/* Tells the log and the hooks. Returns whether the cursor may be saved. */
static bool conclude(struct verify *v, enum verify_result result, int partition)
{
    v->is_verified = result == VERIFY_INTACT || result == VERIFY_KEY_GONE;
    switch (result) {
    case VERIFY_INTACT:
        return true;
    case VERIFY_KEY_GONE:
        log_error("redis: %s is gone altogether: reading continues at the cursor that this process holds",
                  v->keys->progress);
        return true;
    case VERIFY_TAKEN_OVER:
        v->hooks->taken_over(v->hooks->arg);
        return false;
    case VERIFY_OWNER_IS_OLD:
        log_error("redis has lost data: the owner of the slots is an earlier one again");
        break;
    case VERIFY_CURSOR_IS_OLD:
        log_error("redis has lost data: the cursor that was saved as %" PRId64 " is back at %" PRId64, v->saved.value,
                  v->asked.record.copy.value);
        break;
    case VERIFY_MARK_IS_OLD:
        log_error("redis has lost data: the mark of partition %d was %" PRId64 ", and is back at %" PRId64, partition,
                  v->asked.known.seq[partition], v->asked.marks.seq[partition]);
        break;
    }
    v->hooks->data_lost(v->hooks->arg);
    return false;
}

static void on_marks(void *arg, const redisReply *reply)
{
    struct verify *v = arg;
    int p = 0;
    if (!record_take_marks(v->session, v->keys, reply, &v->asked.marks))
        return;
    v->asked.saved = v->saved;
    enum verify_result result = verify_compare(&v->asked, &p);
    bool is_intact = conclude(v, result, p);
    if (v->done != NULL)
        v->done(v->arg, is_intact);
}

void verify_owner(struct verify *v, const redisReply *reply)
{
    struct verify_case c = {.standing = standing(v, reply), .record = {.knows_relay = true}};
    int p = 0;
    enum verify_result result = verify_compare(&c, &p);
    if (result != VERIFY_INTACT)
        conclude(v, result, p);
}

void verify_set_baseline(struct verify *v, struct optional cursor, bool knows_relay, const struct marks *marks)
{
    v->has_baseline = v->is_verified = true;
    v->saved = cursor;
    v->knows_relay = knows_relay;
    known_marks_write(v->known, marks);
}
