#include "config.h"

#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct optional record_parse_cursor(const char *text)
{
    char *end;
    if (text == NULL)
        return optional_none();
    errno = 0;
    long long cursor = strtoll(text, &end, 10);
    bool is_cursor = errno == 0 && end != text && *end == '\0' && cursor >= 0;
    return is_cursor ? optional_of(cursor) : optional_none();
}

void record_ask(struct session *c, const struct store_keys *keys, store_reply *on_reply, void *arg)
{
    session_ask(c, on_reply, arg, "HMGET %s cursor relay inherited", keys->progress);
}

void record_ask_marks(struct session *c, const struct store_keys *keys, store_reply *on_reply, void *arg)
{
    struct buffer resp;
    buffer_init(&resp);
    progress_append_read(&resp, keys->progress);
    session_append(c, &resp, on_reply, arg);
    buffer_fini(&resp);
}

void record_write_marks(struct session *c, const struct store_keys *keys, const struct marks *marks, uint64_t which)
{
    struct buffer resp;
    if (which == 0)
        return;
    buffer_init(&resp);
    progress_append_write(&resp, keys->progress, marks, which);
    session_append(c, &resp, NULL, NULL);
    buffer_fini(&resp);
}

/* Returns false. */
static bool refuse(struct session *c, const struct store_keys *keys, const redisReply *reply, const char *why)
{
    if (reply->type == REDIS_REPLY_ERROR)
        session_lose_key(c, reply->str, keys->progress);
    else
        session_lose(c, why);
    return false;
}

bool record_take(struct session *c, const struct store_keys *keys, const redisReply *reply, struct record *record)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        return refuse(c, keys, reply, "the progress key is not a hash");
    const redisReply *copy = reply->element[0], *relay = reply->element[1];
    record->copy = record_parse_cursor(copy->type == REDIS_REPLY_STRING ? copy->str : NULL);
    record->knows_relay = relay->type == REDIS_REPLY_STRING;
    record->inherited =
        record_parse_cursor(reply->element[2]->type == REDIS_REPLY_STRING ? reply->element[2]->str : NULL);
    record->is_same_relay = record->knows_relay && strcmp(relay->str, keys->relay) == 0;
    return true;
}

bool record_take_marks(struct session *c, const struct store_keys *keys, const redisReply *reply,
                       struct marks *marks)
{
    return progress_parse(reply, marks) || refuse(c, keys, reply, "the marks are not a hash");
}
