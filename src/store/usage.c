#include "config.h"

#include "usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "redis/info.h"

void usage_on_lost(struct usage *u)
{
    u->now = (struct store_usage){.used_memory = -1, .max_memory = -1, .uncounted_memory = -1, .stream_length = -1,
                                  .dead_letters_length = -1, .refusals = -1, .evicted_keys = -1};
    u->may_not_info = u->may_not_xlen = false;
}

/* An answer that is refused is no trouble: it would be nice to know. */
static bool is_refused(const redisReply *reply)
{
    bool refused = reply->type == REDIS_REPLY_ERROR && redis_is_forbidden(reply->str);
    if (refused)
        log_debug("redis: %s", reply->str);
    return refused;
}

/* Each concern is told once, until it is over. */
static void tell_concern(struct usage *u)
{
    if (strcmp(u->told, u->now.concern) == 0)
        return;
    if (u->now.concern[0] != '\0')
        log_error("redis: %s", u->now.concern);
    else
        log_info("redis: this is over: %s", u->told);
    snprintf(u->told, sizeof u->told, "%s", u->now.concern);
}

static void tell_evicted(struct usage *u, int64_t before)
{
    if (before >= 0 && u->now.evicted_keys > before && u->now.concern[0] != '\0')
        log_throttled(&u->evicting, LOG_LEVEL_ERROR,
                      "redis: it has evicted %" PRId64 " keys; the stream, its marks or the cursor may be among them",
                      u->now.evicted_keys - before);
}

/* Redis is not trusted with sizes that no machine has. */
static int64_t sane(int64_t number) { return number <= INT64_C(1) << 53 ? number : -1; }

enum { REFUSED_S = 30 /* workers try again after ever longer pauses */ };

/* Redis before 6.2 does not count them. */
static void take_refusals(struct store_usage *now, const char *info)
{
    char text[48];
    unsigned long long count = 0;
    int64_t before = now->refusals;
    bool counts = strstr(info, "# Errorstats") != NULL;
    info_text(info, "errorstat_OOM", text, sizeof text);
    /* NOLINTNEXTLINE(cert-err34-c): Redis' own number; 0 if there is none */
    if (sscanf(text, "count=%18llu", &count) != 1)
        count = 0;
    now->refusals = counts ? (int64_t)count : -1;
    if (before >= 0 && now->refusals > before)
        now->refused_s = REFUSED_S;
    else if (now->refused_s > 0)
        now->refused_s--;
    now->was_refused = !counts || now->refused_s > 0;
}

static void on_info(void *arg, const redisReply *reply)
{
    struct usage *u = arg;
    const char *info = reply->type == REDIS_REPLY_STRING ? reply->str : "";
    int64_t evicted = u->now.evicted_keys;
    u->may_not_info = is_refused(reply);
    u->now.used_memory = sane(info_number(info, "used_memory"));
    u->now.max_memory = sane(info_number(info, "maxmemory"));
    u->now.uncounted_memory = sane(info_number(info, "mem_not_counted_for_evict"));
    u->now.evicted_keys = sane(info_number(info, "evicted_keys"));
    take_refusals(&u->now, info);
    if (info[0] == '\0')
        return;
    info_concern(info, u->now.concern, sizeof u->now.concern);
    text_clean(u->now.concern);
    tell_concern(u);
    tell_evicted(u, evicted);
}

static int64_t length_of(const redisReply *reply) { return reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1; }

static void on_stream_length(void *arg, const redisReply *reply)
{
    struct usage *u = arg;
    u->may_not_xlen = is_refused(reply);
    u->now.stream_length = length_of(reply);
}

static void on_dead_letters_length(void *arg, const redisReply *reply)
{
    struct usage *u = arg;
    is_refused(reply);
    u->now.dead_letters_length = length_of(reply);
}

void usage_ask(struct usage *u)
{
    struct session *c = u->session;
    if (!session_may_ask(c))
        return;
    if (!u->may_not_info)
        session_ask(c, on_info, u, "INFO");
    if (u->may_not_xlen)
        return;
    session_ask(c, on_stream_length, u, "XLEN %s", c->config->stream_key);
    session_ask(c, on_dead_letters_length, u, "XLEN %s", c->config->dead_letters_key);
}
