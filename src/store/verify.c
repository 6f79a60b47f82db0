#include "config.h"

#include "verify.h"

#include <inttypes.h>

static store_reply on_record, on_marks;

enum verify_result verify_compare(const struct verify_case *v, int *partition)
{
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
    if (!v->has_baseline || !may_compare)
        return;
    record_ask(v->session, v->keys, on_record, v);
    v->asked.known = known_marks_read(v->known);
    record_ask_marks(v->session, v->keys, on_marks, v);
}

static void on_record(void *arg, const redisReply *reply)
{
    struct verify *v = arg;
    record_take(v->session, v->keys, reply, &v->record);
}

static void on_marks(void *arg, const redisReply *reply)
{
    struct verify *v = arg;
    int p = 0;
    if (!record_take_marks(v->session, v->keys, reply, &v->asked.marks))
        return;
    v->asked.saved = v->saved;
    v->asked.record = v->record;
    enum verify_result result = verify_compare(&v->asked, &p);
    v->is_verified = result == VERIFY_INTACT || result == VERIFY_KEY_GONE;
    switch (result) {
    case VERIFY_INTACT:
        return;
    case VERIFY_KEY_GONE:
        log_error("redis: %s is gone altogether: reading continues at the cursor that this process holds",
                  v->keys->progress);
        return;
    case VERIFY_CURSOR_IS_OLD:
        log_error("redis has lost data: the cursor that was saved as %" PRId64 " is back at %" PRId64, v->saved.value,
                  v->record.copy.value);
        break;
    case VERIFY_MARK_IS_OLD:
        log_error("redis has lost data: the mark of partition %d was %" PRId64 ", and is back at %" PRId64, p,
                  v->asked.known.seq[p], v->asked.marks.seq[p]);
        break;
    }
    v->hooks->data_lost(v->hooks->arg);
}

void verify_set_baseline(struct verify *v, struct optional cursor, bool knows_relay, const struct marks *marks)
{
    v->has_baseline = v->is_verified = true;
    v->saved = v->record.copy = cursor;
    v->record.knows_relay = knows_relay;
    known_marks_write(v->known, marks);
}
