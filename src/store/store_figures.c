/* store_figures.c: asks Redis how full it is and how long our streams are: for people, nothing is decided by it. */
#include "config.h"

#include <string.h>

#include "redis/info.h"
#include "store_internal.h"

enum { EVERY = 5 /* calls, which come once a second */ };

void store_figures_forget(struct store *s)
{
    s->figures = (struct store_figures){-1, -1, -1, -1};
    s->may_not_info = s->may_not_xlen = false;
    s->figures_wait = 0;
}

void store_ask_figures(struct store *s)
{
    if (!store_may_ask(s) || s->figures_wait-- > 0)
        return;
    s->figures_wait = EVERY - 1;
    if (!s->may_not_info) {
        redis_client_command(s->client, "INFO memory");
        store_expect(s, FOR_MEMORY, 0);
    }
    if (!s->may_not_xlen) {
        redis_client_command(s->client, "XLEN %s", s->config->stream_key);
        store_expect(s, FOR_STREAM_LENGTH, 0);
        redis_client_command(s->client, "XLEN %s", s->config->dead_letters_key);
        store_expect(s, FOR_DEAD_LETTERS_LENGTH, 0);
    }
}

void store_figures_on_reply(struct store *s, enum purpose purpose, const redisReply *reply)
{
    bool refused = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0;
    int64_t length = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    if (refused)
        log_debug("redis: %s", reply->str);
    switch (purpose) {
    case FOR_MEMORY: {
        bool text = reply->type == REDIS_REPLY_STRING;
        s->may_not_info = refused;
        s->figures.used_memory = text ? info_number(reply->str, "used_memory") : -1;
        s->figures.max_memory = text ? info_number(reply->str, "maxmemory") : -1;
        break;
    }
    case FOR_STREAM_LENGTH:
        s->may_not_xlen = refused;
        s->figures.stream_length = length;
        break;
    case FOR_DEAD_LETTERS_LENGTH:
        s->figures.dead_letters_length = length;
        break;
    default:
        break;
    }
}

const struct store_figures *store_figures(const struct store *s)
{
    return &s->figures;
}
