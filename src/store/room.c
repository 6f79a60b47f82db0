#include "config.h"

#include "room.h"

#include <inttypes.h>

/* A sixteenth of the limit is room for some seconds. */
static int64_t room_wanted(int64_t max_memory) { return max_memory / 16; }

int64_t room_entries_to_keep(const struct store_usage *u, int64_t bytes, int64_t reserve)
{
    bool is_full = u->max_memory > 0 && u->used_memory > u->max_memory - reserve;
    if (!is_full || u->stream_length <= 1 || bytes < u->used_memory / 2)
        return -1;
    int64_t excess = u->used_memory + reserve - u->max_memory + room_wanted(u->max_memory);
    int64_t keep = excess < bytes ? (int64_t)((double)u->stream_length * (double)(bytes - excess) / (double)bytes) : 1;
    return keep < u->stream_length ? (keep > 1 ? keep : 1) : u->stream_length - 1;
}

void room_on_lost(struct room *r)
{
    r->is_asking = false;
    r->standing_s = 0;
}

static void on_trimmed(void *arg, const redisReply *reply)
{
    struct room *r = arg;
    const struct config *config = r->session->config;
    r->is_asking = false;
    if (reply->type != REDIS_REPLY_INTEGER) {
        session_report(r->session, reply->str != NULL ? reply->str : "XTRIM: no number");
        return;
    }
    r->trimmed += (uint64_t)reply->integer;
    if (reply->integer > 0)
        log_throttled(&r->throttle, LOG_LEVEL_ERROR,
                      "redis is out of memory, and %s fills it: its %lld oldest entries were trimmed (stream_full = trim)",
                      config->stream_key, (long long)reply->integer);
}

/* A transaction takes memory before Redis decides on it: that much is missing although INFO shows it as free. */
static int64_t reserve_of(const struct config *c)
{
    return 2 * (int64_t)config_worker_count(c) * (c->batch_size + c->event_max_size);
}

static void on_bytes(void *arg, const redisReply *reply)
{
    struct room *r = arg;
    int64_t bytes = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1, reserve = reserve_of(r->session->config);
    int64_t keep = room_entries_to_keep(r->usage, bytes, reserve < r->usage->max_memory / 4 ? reserve
                                                                                           : r->usage->max_memory / 4);
    r->is_asking = keep > 0;
    if (reply->type == REDIS_REPLY_ERROR)
        session_report(r->session, reply->str);
    if (keep > 0)
        session_ask(r->session, on_trimmed, r, "XTRIM %s MAXLEN %lld", r->session->config->stream_key, (long long)keep);
}

void room_tick(struct room *r, bool stands)
{
    r->standing_s = stands ? r->standing_s + 1 : 0;
    if (r->standing_s < ROOM_STANDING_S || r->is_asking || r->session->config->stream_full != CONFIG_STREAM_TRIM ||
        r->usage->max_memory <= 0 || !session_may_ask(r->session))
        return;
    r->is_asking = true;
    session_ask(r->session, on_bytes, r, "MEMORY USAGE %s", r->session->config->stream_key);
}
