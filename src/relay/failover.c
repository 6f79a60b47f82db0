#include "config.h"

#include "relay/failover.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/connect.h"
#include "relay/dedup.h"
#include "relay/start_search.h"

/* Relays get an event neither at the same moment nor in the same order. */
static const int64_t SEARCH_MARGIN_US = INT64_C(60) * 1000000;

struct failover {
    struct event_base *base;
    struct evdns_base *dns;
    const struct config *config;
    struct failover_hooks hooks;
    struct relay_list list, new_list; /* new_list.count 0: none waits */
    int64_t changed_ms;               /* when the relay changed, or the first was last looked for */
    uint64_t changes;
    struct connect_attempt *probe; /* whether the first relay answers; or NULL */
    int64_t newest_us;             /* the newest event in Redis when the relay changed; 0: unknown */
    struct start_search search;
    struct dedup *dedup; /* NULL: there was never more than one relay */
};

/* Several relays need the memory of what was taken. */
static bool prepare_dedup(struct failover *f, const struct relay_list *list, struct error *why)
{
    if (list->count == 1 || f->dedup != NULL)
        return true;
    f->dedup = dedup_new((size_t)f->config->relay_memory);
    if (f->dedup == NULL)
        error_set(why, "relay_memory: out of memory");
    return f->dedup != NULL;
}

struct failover *failover_new(struct event_base *base, struct evdns_base *dns, const struct config *config,
                              const struct failover_hooks *hooks, int64_t now_ms, struct error *why)
{
    struct failover *f = calloc(1, sizeof *f);
    if (f == NULL) {
        error_set(why, "out of memory");
        return NULL;
    }
    *f = (struct failover){.base = base, .dns = dns, .config = config, .hooks = *hooks, .changed_ms = now_ms};
    if (relay_list_init(&f->list, config, why) && prepare_dedup(f, &f->list, why))
        return f;
    failover_free(f);
    return NULL;
}

void failover_free(struct failover *f)
{
    if (f == NULL)
        return;
    connect_cancel(f->probe);
    dedup_free(f->dedup);
    free(f);
}

const struct relay_list *failover_list(const struct failover *f) { return &f->list; }
const struct relay_entry *failover_current(const struct failover *f) { return relay_list_current(&f->list); }
uint64_t failover_changes(const struct failover *f) { return f->changes; }

/* ---- changing ---- */

bool failover_on_failed(struct failover *f, bool is_healthy, int64_t asked_ms, int64_t now_ms)
{
    if (is_healthy)
        relay_list_healthy(&f->list, f->config);
    bool is_long = asked_ms > f->config->relay_backoff_max;
    if (is_long)
        relay_list_rest(&f->list, now_ms + asked_ms);
    return (relay_list_failed(&f->list, f->config) || is_long) && failover_next(f, now_ms).is_wanted;
}

struct failover_wish failover_next(const struct failover *f, int64_t now_ms)
{
    unsigned index = relay_list_next(&f->list, now_ms);
    return (struct failover_wish){.is_wanted = index != f->list.current, .index = index};
}

bool failover_is_due_to_return(const struct failover *f, int64_t now_ms)
{
    return f->list.current != 0 && f->config->relay_failback > 0 && now_ms >= f->list.list[0].rests_until_ms &&
           now_ms - f->changed_ms >= f->list.failback_ms;
}

struct failover_wish failover_on_probed(struct failover *f, int64_t now_ms, bool has_answered)
{
    f->changed_ms = now_ms; /* the next look comes relay_failback later, whatever becomes of this one */
    return (struct failover_wish){.is_wanted = has_answered && f->list.current != 0, .is_try = true};
}

static void on_probed(void *arg, int fd, const struct error *why)
{
    struct failover *f = arg;
    f->probe = NULL;
    if (fd >= 0)
        close(fd);
    else
        log_info("relay %s: it still cannot be reached: %s", f->list.list[0].name, why->text);
    struct failover_wish wish = failover_on_probed(f, clock_monotonic_ms(), fd >= 0);
    if (wish.is_wanted)
        f->hooks.change(f->hooks.arg, wish);
}

/* The first relay must be there at all: a change costs a pause, a look costs nothing. */
void failover_tick(struct failover *f, int64_t now_ms, bool is_healthy, bool may_change)
{
    if (is_healthy)
        relay_list_healthy(&f->list, f->config);
    int timeout_ms = (int)f->config->relay_connect_timeout;
    if (may_change && f->probe == NULL && failover_is_due_to_return(f, now_ms))
        f->probe = connect_start(f->base, f->dns, &f->list.list[0].url, timeout_ms, on_probed, f);
}

void failover_select(struct failover *f, struct failover_wish wish, int64_t newest_us, int64_t now_ms)
{
    failover_take_new_list(f);
    relay_list_select(&f->list, wish.index, wish.is_try);
    f->newest_us = newest_us;
    f->changed_ms = now_ms;
    f->changes++;
}

enum failover_start failover_begin(struct failover *f, bool has_cursor)
{
    f->search.is_on = false;
    if (has_cursor)
        return FAILOVER_AT_CURSOR;
    if (f->newest_us > 0) {
        start_search_begin(&f->search, f->newest_us - SEARCH_MARGIN_US);
        return FAILOVER_SEARCHING;
    }
    if (f->config->start == CONFIG_START_OLDEST)
        return FAILOVER_WITH_OLDEST;
    return FAILOVER_WITH_LIVE;
}

/* ---- frames ---- */

bool failover_is_searching(const struct failover *f) { return f->search.is_on; }
void failover_on_connected(struct failover *f) { start_search_connected(&f->search); }
const char *failover_search_says(const struct failover *f)
{
    return f->search.is_confirmed ? "the place to begin at is found" : "looking further back for the place to begin";
}

bool failover_search_tick(struct failover *f) { return start_search_tick(&f->search); }
struct optional failover_search_cursor(const struct failover *f) { return start_search_cursor(&f->search); }

enum search_verdict failover_judge(struct failover *f, const struct frame_peek *peek, struct optional time_us)
{
    if (!f->search.is_on || !peek->has_seq)
        return SEARCH_TAKE;
    if (!time_us.is_known)
        return SEARCH_SKIP;
    switch (start_search_judge(&f->search, peek->seq, time_us.value)) {
    case START_RETRY:
        return SEARCH_RECONNECT;
    case START_SKIP:
        return SEARCH_SKIP;
    case START_FOUND:
        break;
    }
    return SEARCH_TAKE;
}

bool failover_is_duplicate(const struct failover *f, const struct frame_peek *peek)
{
    return f->dedup != NULL && peek->kind == FRAME_COMMIT &&
           dedup_is_duplicate(f->dedup, failover_current(f)->id, peek->did.ptr, peek->did.len, peek->rev.ptr,
                              peek->rev.len);
}

void failover_note_taken(struct failover *f, const struct frame_peek *peek)
{
    if (f->dedup != NULL && peek->kind == FRAME_COMMIT)
        dedup_add(f->dedup, failover_current(f)->id, peek->did.ptr, peek->did.len, peek->rev.ptr, peek->rev.len,
                  clock_unix_us());
}

void failover_forget_taken(struct failover *f)
{
    if (f->dedup != NULL)
        dedup_clear(f->dedup);
}

void failover_on_cursor_set(struct failover *f)
{
    f->search.is_on = false;
    failover_forget_taken(f);
}

/* ---- another list ---- */

enum failover_list_change failover_set_list(struct failover *f, bool is_reading, struct error *why)
{
    struct relay_list fresh;
    if (!relay_list_init(&fresh, f->config, why) || !prepare_dedup(f, &fresh, why))
        return FAILOVER_LIST_FAILED;
    if (relay_list_replace(&f->list, &fresh))
        return FAILOVER_SAME_SEQUENCE;
    f->new_list = fresh;
    if (is_reading)
        return FAILOVER_OTHER_SEQUENCE;
    failover_take_new_list(f);
    return FAILOVER_SAME_SEQUENCE;
}

const struct relay_list *failover_new_list(const struct failover *f)
{
    return f->new_list.count > 0 ? &f->new_list : NULL;
}

void failover_take_new_list(struct failover *f)
{
    if (f->new_list.count > 0) {
        f->list = f->new_list;
        f->search.is_on = false; /* it was for a relay of the old list */
    }
    f->new_list.count = 0;
}
