#include "config.h"

#include "foreign.h"

#include <inttypes.h>
#include <string.h>

enum { WINDOW_MS = 60 * 1000, FEW = 20 /* entries */, STREAK = 5 /* samples in a row */ };

static int64_t found_in(struct foreign_window *w, int64_t added, const struct store_tally *now)
{
    int64_t ours = (int64_t)(now->written - w->written + now->in_flight);
    int64_t more = added - w->added - ours - w->found;
    w->streak = more + w->found >= FEW ? w->streak + 1 : 0;
    if (w->streak < STREAK || more <= 0)
        return 0;
    w->found += more;
    return more;
}

int64_t foreign_judge(struct foreign_window *w, int64_t added, const struct store_tally *asked,
                      const struct store_tally *now)
{
    int64_t found = 0;
    bool is_same = w->is_open && now->era == w->era && added >= w->added;
    if (is_same)
        found = found_in(w, added, now);
    if (!is_same || now->ms - w->start_ms >= WINDOW_MS)
        *w = (struct foreign_window){.is_open = asked->era == now->era, .added = added, .written = asked->written,
                                     .era = now->era, .start_ms = asked->ms};
    return found;
}

void foreign_on_lost(struct foreign *f)
{
    f->added = -1;
    f->window.is_open = f->may_not_ask = false;
}

static void on_stream(void *arg, const redisReply *reply)
{
    struct foreign *f = arg;
    f->may_not_ask = reply->type == REDIS_REPLY_ERROR && redis_is_forbidden(reply->str);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        if (name->type == REDIS_REPLY_STRING && strcmp(name->str, "entries-added") == 0 &&
            value->type == REDIS_REPLY_INTEGER)
            f->added = value->integer;
    }
}

static void judge(struct foreign *f, const struct store_tally *now)
{
    int64_t start_ms = f->window.start_ms, found = foreign_judge(&f->window, f->added, &f->asked, now);
    f->entries += (uint64_t)found;
    if (found > 0)
        log_throttled(&f->throttle, LOG_LEVEL_ERROR, "another writer adds to %s: %" PRId64 " entries in %" PRId64
                      " s are not from this firehosed; stop it", f->session->config->stream_key, found,
                      (now->ms - start_ms) / 1000);
}

void foreign_tick(struct foreign *f, const struct store_tally *now)
{
    if (f->added >= 0)
        judge(f, now);
    f->added = -1;
    if (f->may_not_ask || !session_may_ask(f->session))
        return;
    f->asked = *now;
    session_ask(f->session, on_stream, f, "XINFO STREAM %s", f->session->config->stream_key);
}
