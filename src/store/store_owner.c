/* store_owner.c: who may write: taking the slots, and being the one who has them.
 *
 *   WATCH owner:master · GET owner:master              whose reign is it
 *   MULTI · SET owner:master · SET owner:0 … 63 · EXEC  ours from now on: any earlier transaction fails
 *
 * Each firehosed that takes over begins a new reign: the upper half of its tokens' generation, one above the last that
 * it finds. So a token of another instance tells which of the two came later: a younger one has taken over; an older
 * one is back because Redis has lost data, and must not be taken for a successor, or nobody would be left.
 *
 * Every write of the cursor is guarded the same way: who has been taken over cannot write it any more, however long the
 * command was on its way. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "store_internal.h"

static uint64_t reign(const struct owner_token *token)
{
    return token->generation >> 32;
}

static void master_key(const struct store *s, char out[OWNER_KEY_BYTES])
{
    snprintf(out, OWNER_KEY_BYTES, "%s:master", s->config->owner_key);
}

void store_watch_owner(struct store *s)
{
    char key[OWNER_KEY_BYTES];
    master_key(s, key);
    redis_client_command(s->client, "WATCH %s", key);
    store_expect(s, FOR_NOTHING, 0);
}

static void ask_owner(struct store *s, enum purpose purpose, int64_t cursor, bool watch)
{
    char key[OWNER_KEY_BYTES];
    master_key(s, key);
    if (watch)
        store_watch_owner(s);
    redis_client_command(s->client, "GET %s", key);
    store_expect(s, purpose, cursor);
}

void store_take_all(struct store *s)
{
    ask_owner(s, FOR_EPOCH, 0, true);
}

static void append_owner(struct store *s)
{
    char token[OWNER_TOKEN_BYTES], key[OWNER_KEY_BYTES];
    owner_format(s->owner, token);
    master_key(s, key);
    redis_client_command(s->client, "SET %s %s", key, token);
    store_expect(s, FOR_NOTHING, 0);
}

static void take_slots(struct store *s)
{
    char token[OWNER_TOKEN_BYTES], key[OWNER_KEY_BYTES];
    s->owner->generation++;
    owner_format(s->owner, token);
    redis_client_command(s->client, "MULTI");
    store_expect(s, FOR_NOTHING, 0);
    append_owner(s);
    for (unsigned slot = 0; slot < WORKERS_MAX; slot++) {
        owner_key(s->config->owner_key, slot, key);
        redis_client_command(s->client, "SET %s %s", key, token);
        store_expect(s, FOR_NOTHING, 0);
    }
    redis_client_command(s->client, "EXEC");
    store_expect(s, FOR_SLOTS, 0);
}

enum standing { OURS, NOBODYS, TAKEN_OVER, BEFORE_US };

static enum standing standing(const struct store *s, const redisReply *reply, struct owner_token *found)
{
    if (reply->type != REDIS_REPLY_STRING || !owner_parse(reply->str, found))
        return NOBODYS;
    if (found->instance == s->owner->instance)
        return OURS;
    return owner_is_older(found, s->owner) ? BEFORE_US : TAKEN_OVER;
}

void store_on_epoch(struct store *s, const redisReply *reply)
{
    struct owner_token found = {0};
    enum standing now = standing(s, reply, &found);
    if (reply->type == REDIS_REPLY_ERROR) {
        store_lose(s, reply->str);
        return;
    }
    if (now == TAKEN_OVER && s->wanted != BEGIN_FIRST) {
        s->wanted = BEGIN_NOTHING;
        s->hooks.taken_over(s->hooks.arg);
        return;
    }
    uint64_t last = now == OURS || now == NOBODYS ? 0 : reign(&found);
    if (s->wanted == BEGIN_FIRST || now == BEFORE_US)
        last = last > reign(s->owner) ? last + 1 : reign(s->owner) + 1;
    else
        last = reign(s->owner);
    if (last > reign(s->owner))
        s->owner->generation = last << 32;
    take_slots(s);
}

void store_guard_cursor(struct store *s, int64_t cursor)
{
    ask_owner(s, FOR_GUARD, cursor, true);
}

void store_check_owner(struct store *s)
{
    if (store_may_ask(s) && s->is_verified && s->wanted == BEGIN_NOTHING)
        ask_owner(s, FOR_OWNER, 0, false);
}

bool store_is_owner(struct store *s, const redisReply *reply)
{
    struct owner_token found;
    if (reply->type == REDIS_REPLY_ERROR || s->wanted != BEGIN_NOTHING || !s->is_verified)
        return false;
    switch (standing(s, reply, &found)) {
    case OURS:
    case NOBODYS: /* somebody has deleted the keys: they are written again with the next cursor */
        return true;
    case TAKEN_OVER:
        s->is_verified = false;
        s->hooks.taken_over(s->hooks.arg);
        return false;
    case BEFORE_US:
        log_error("redis has lost data: an earlier firehosed owns the slots again");
        s->is_verified = false;
        s->hooks.data_lost(s->hooks.arg);
        return false;
    }
    return false;
}

/* Where the marks are gone altogether (deleted by hand), the cursor alone would make a hash without any, and
 * that is how a Redis looks that has lost data: all would be read again. So what is known to be written is put
 * back where nothing is. */
static void append_missing_marks(struct store *s)
{
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t known = atomic_load_explicit(&s->known->seq[p], memory_order_relaxed);
        if (known == 0)
            continue;
        redis_client_command(s->client, "HSETNX %s %d %lld", s->keys.progress, p, (long long)known);
        store_expect(s, FOR_NOTHING, 0);
    }
}

void store_write_cursor(struct store *s, int64_t cursor)
{
    char decimal[24];
    snprintf(decimal, sizeof decimal, "%" PRId64, cursor);
    redis_client_command(s->client, "MULTI");
    store_expect(s, FOR_NOTHING, 0);
    append_owner(s);
    redis_client_command(s->client, "SET %s %s", s->keys.cursor, decimal);
    store_expect(s, FOR_NOTHING, 0);
    redis_client_command(s->client, "HSET %s cursor %s relay %s", s->keys.progress, decimal,
                         s->keys.relay);
    store_expect(s, FOR_NOTHING, 0);
    store_note_run(s);
    append_missing_marks(s);
    redis_client_command(s->client, "EXEC");
    store_expect(s, FOR_CURSOR_SAVE, cursor);
}
