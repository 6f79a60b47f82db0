/* checkpoint.c: the save of the cursor from top to bottom.
 *
 *   checkpoint_write()   WATCH owner:master · GET owner:master · HMGET progress cursor relay · HMGET progress 0 … 63
 *   on_verified()        MULTI · SET owner:master · SET cursor · HSET progress cursor … relay … [run] [marks] · EXEC
 *   on_saved()           hooks.cursor_saved()
 *
 * The watch guards the write: a firehosed that was taken over cannot write the cursor any more, however long the
 * command was on its way. The marks must cover what the cursor covers: an ack may be the late answer of a Redis that is
 * gone. So the cursor in Redis is never in front of the events beside it, whatever Redis loses.
 *
 * One save at a time: EXEC would end the guard of the next one, too. */
#include "config.h"

#include "checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "slots.h"

static store_reply on_saved, on_owner_checked;
static verify_done on_verified;

static bool may_save(const struct checkpoint *k) { return k->verify->is_verified && !begin_is_under_way(k->begin); }

void checkpoint_write(struct checkpoint *k, int64_t cursor)
{
    if (!session_may_ask(k->session) || !may_save(k) || k->in_flight.is_known)
        return;
    k->in_flight = optional_of(cursor);
    slots_watch(k->session);
    verify_ask(k->verify, on_verified, k);
}

/* If somebody has deleted the progress key, the cursor alone would make a hash without marks. A Redis that has lost
 * data looks like that, and everything would be read again. So the known marks are put back where none are. */
static void append_missing_marks(struct checkpoint *k)
{
    struct marks known = known_marks_read(k->verify->known);
    for (int p = 0; p < PARTITIONS; p++)
        if (known.seq[p] != 0)
            session_tell(k->session, "HSETNX %s %d %lld", k->keys->progress, p, (long long)known.seq[p]);
}

static void on_verified(void *arg, bool is_intact)
{
    struct checkpoint *k = arg;
    char cursor[24];
    if (!is_intact || begin_is_under_way(k->begin)) {
        k->in_flight = optional_none();
        return;
    }
    snprintf(cursor, sizeof cursor, "%" PRId64, k->in_flight.value);
    session_tell(k->session, "MULTI");
    slots_append_owner(k->session, k->owner);
    session_tell(k->session, "SET %s %s", k->keys->cursor, cursor);
    session_tell(k->session, "HSET %s cursor %s relay %s", k->keys->progress, cursor, k->keys->relay);
    session_note_run(k->session);
    append_missing_marks(k);
    session_ask(k->session, on_saved, k, "EXEC");
}

static void on_saved(void *arg, const redisReply *reply)
{
    struct checkpoint *k = arg;
    int64_t cursor = k->in_flight.value;
    const char *error = redis_first_error(reply);
    k->in_flight = optional_none();
    if (error != NULL)
        session_report(k->session, error);
    if (error != NULL || reply->type != REDIS_REPLY_ARRAY)
        return; /* it was not executed, as the owner has changed: the next save finds out */
    session_forget_trouble(k->session);
    k->verify->saved = optional_of(cursor);
    k->hooks->cursor_saved(k->hooks->arg, cursor);
}

/* A firehosed that has nothing to save is told, too, that it was taken over. */
void checkpoint_check_owner(struct checkpoint *k)
{
    if (k->verify->saved.is_known && redis_is_wrong_server(k->session->trouble.text))
        checkpoint_write(k, k->verify->saved.value); /* only a write tells whether this server is the right one */
    else if (session_may_ask(k->session) && may_save(k))
        slots_ask(k->session, on_owner_checked, k);
}

static void on_owner_checked(void *arg, const redisReply *reply)
{
    struct checkpoint *k = arg;
    if (reply->type == REDIS_REPLY_ERROR)
        session_report(k->session, reply->str);
    else if (may_save(k))
        verify_owner(k->verify, reply);
}
