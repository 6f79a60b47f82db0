#include "config.h"

#include "trim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "slots.h"

enum {
    SPARE_PART = 16,  /* a trim frees this part of maxmemory beyond the need: it shall not be needed each second */
    NEED_PART = 8,    /* the need of many workers is this part of a small maxmemory at most */
    PAUSE_TICKS = 30, /* MEMORY USAGE looks at the whole stream: not each second if that does not help */
    NOTE_TICKS = 300, /* how long people are told */
    MB = 1 << 20,
};

/* ---- deciding ---- */

struct trim_decision trim_decide(const struct trim_case *c)
{
    struct trim_decision d = {.key = c->of[TRIM_DEAD_LETTERS].bytes > c->of[TRIM_STREAM].bytes};
    int64_t room = c->max - c->used, bytes = c->of[d.key].bytes, entries = c->of[d.key].entries;
    if (c->max <= 0 || c->used < 0 || room >= c->needed || (room > 0 && !c->was_refused))
        return d;
    d.step = TRIM_NOT_OURS;
    if (entries <= 0 || bytes <= 0 || c->of[TRIM_STREAM].bytes + c->of[TRIM_DEAD_LETTERS].bytes < c->used / 2)
        return d;
    d.step = TRIM_KEEPS_ALL;
    if (c->of[d.key].max_len == 0)
        return d;
    d.step = TRIM_ENTRIES;
    /* The oldest entries may be smaller than the average: then the next look trims more. At most half at a time. */
    int64_t excess = c->needed + c->max / SPARE_PART - room;
    double share = (double)excess / (double)bytes;
    int64_t keep = entries - (int64_t)((double)entries * (share < 0.5 ? share : 0.5)) - 1;
    d.keep = keep < c->of[d.key].max_len ? keep : c->of[d.key].max_len;
    return d;
}

/* ---- asking ---- */

static store_reply on_owner, on_stream, on_dead_letters, on_trimmed;

static const char *key_name(const struct trim *t, unsigned key)
{
    const struct config *config = t->session->config;
    return key == TRIM_STREAM ? config->stream_key : config->dead_letters_key;
}

static void end(struct trim *t)
{
    t->is_asking = false;
    t->looked(t->arg);
}

__attribute__((format(printf, 3, 4))) static void set_note(struct trim *t, int ticks, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(t->note, sizeof t->note, format, args);
    va_end(args);
    t->note_left = ticks;
}

static void age_note(struct trim *t)
{
    if (t->note_left > 0 && --t->note_left == 0)
        t->note[0] = '\0';
}

bool trim_look(struct trim *t)
{
    bool looks = session_may_ask(t->session) && !t->is_asking &&
                 t->session->config->stream_full == CONFIG_STREAM_TRIM;
    age_note(t);
    if (t->pause > 0) {
        t->pause--;
        looks = false;
    }
    if (looks) {
        t->is_asking = true;
        slots_ask(t->session, on_owner, t);
    }
    return looks;
}

void trim_on_lost(struct trim *t)
{
    t->is_asking = false;
    t->pause = 0;
}

/* A master that begins takes the slots over in any case, but cannot while Redis refuses to write their owner. */
static bool may_trim(const struct trim *t, const redisReply *reply)
{
    struct owner_token found;
    enum standing standing = slots_standing(t->owner, reply->type == REDIS_REPLY_STRING ? reply->str : NULL, &found);
    return begin_is_under_way(t->begin) ||
           (t->verify->is_verified && (standing == STANDING_OURS || standing == STANDING_NOBODYS));
}

/* What the workers send at once counts as memory of Redis as soon as it is received. */
static int64_t needed(const struct config *config, int64_t max)
{
    int64_t all = (int64_t)config_worker_count(config) * (config->batch_size + config->event_max_size);
    return all < max / NEED_PART ? all : max / NEED_PART;
}

/* Until a beginning has examined the entries, nobody knows whose they are. */
static bool letters_are_ours(const struct trim *t)
{
    return !begin_is_under_way(t->begin) || t->begin->letters->state == LETTERS_READY;
}

static struct trim_case collect(const struct trim *t)
{
    const struct store_usage *u = &t->usage->now;
    const struct config *config = t->session->config;
    struct trim_case c = {.used = u->used_memory - (u->uncounted_memory > 0 ? u->uncounted_memory : 0),
                          .max = u->max_memory,
                          .needed = needed(config, u->max_memory),
                          .was_refused = u->was_refused};
    c.of[TRIM_STREAM].entries = u->stream_length;
    c.of[TRIM_STREAM].max_len = config->stream_max_len;
    c.of[TRIM_DEAD_LETTERS].entries = u->dead_letters_length;
    c.of[TRIM_DEAD_LETTERS].max_len = letters_are_ours(t) ? config->dead_letters_max_len : 0;
    return c;
}

static void on_owner(void *arg, const redisReply *reply)
{
    struct trim *t = arg;
    t->found = collect(t);
    if (trim_decide(&t->found).step == TRIM_NOTHING || !may_trim(t, reply)) {
        end(t);
        return;
    }
    /* All of the stream: a sample would be of its oldest entries, and the newest are those that filled Redis. */
    session_ask(t->session, on_stream, t, "MEMORY USAGE %s SAMPLES 0", key_name(t, TRIM_STREAM));
    session_ask(t->session, on_dead_letters, t, "MEMORY USAGE %s SAMPLES 0", key_name(t, TRIM_DEAD_LETTERS));
}

static void take_bytes(struct trim *t, unsigned key, const redisReply *reply)
{
    bool is_error = reply->type == REDIS_REPLY_ERROR; /* nil: there is no such key */
    bool is_sane = reply->type == REDIS_REPLY_INTEGER && reply->integer < INT64_C(1) << 53;
    t->found.of[key].bytes = is_error ? -1 : is_sane ? reply->integer : 0;
}

static void on_stream(void *arg, const redisReply *reply) { take_bytes(arg, TRIM_STREAM, reply); }

/* Says that there is no room, and why firehosed does not make it. */
static void wait_for_room(struct trim *t, const char *why)
{
    set_note(t, 2 * PAUSE_TICKS, "%" PRId64 " of %" PRId64 " MB are in use, which is too much; %s", t->found.used / MB,
             t->found.max / MB, why);
    t->pause = PAUSE_TICKS;
    log_throttled(&t->told, LOG_LEVEL_ERROR, "redis: %s", t->note);
    end(t);
}

static void on_dead_letters(void *arg, const redisReply *reply)
{
    struct trim *t = arg;
    take_bytes(t, TRIM_DEAD_LETTERS, reply);
    t->decision = trim_decide(&t->found);
    switch (t->decision.step) {
    case TRIM_NOTHING:
        end(t);
        break;
    case TRIM_NOT_OURS:
        wait_for_room(t, t->found.of[t->decision.key].bytes < 0
                             ? "whether the streams are the cause, only the right for MEMORY USAGE would tell"
                             : "the streams of firehosed do not have most of it: see what has, or raise maxmemory");
        break;
    case TRIM_KEEPS_ALL:
        if (t->decision.key == TRIM_DEAD_LETTERS && !letters_are_ours(t))
            end(t); /* once they are known to be ours, the store looks again */
        else
            wait_for_room(t, "firehosed may not trim: the maximum length of its stream is 0");
        break;
    case TRIM_ENTRIES:
        session_ask(t->session, on_trimmed, t, "XTRIM %s MAXLEN %lld", key_name(t, t->decision.key),
                    (long long)t->decision.keep);
        break;
    }
}

static void on_trimmed(void *arg, const redisReply *reply)
{
    struct trim *t = arg;
    const char *key = key_name(t, t->decision.key);
    if (reply->type != REDIS_REPLY_INTEGER) {
        wait_for_room(t, reply->type == REDIS_REPLY_ERROR ? reply->str : "XTRIM did not answer a number");
        return;
    }
    t->trimmed += reply->integer > 0 ? (uint64_t)reply->integer : 0;
    set_note(t, NOTE_TICKS,
             "%" PRId64 " of %" PRId64 " MB were in use: trimmed %s to %" PRId64 " entries; give it more memory",
             t->found.used / MB, t->found.max / MB, key, t->decision.keep);
    log_throttled(&t->told, LOG_LEVEL_ERROR,
                  "redis is full (%" PRId64 " of %" PRId64 " MB): trimmed the oldest %lld of %" PRId64
                  " entries of %s; consumers lose those that they have not read. Raise maxmemory or lower the "
                  "maximum length of the stream",
                  t->found.used / MB, t->found.max / MB, reply->integer, t->found.of[t->decision.key].entries, key);
    end(t);
}
