/* relays.c: from one relay to another: when the one that is read fails again and again, and back to the first when it
 * answers again.
 *
 *   RUNNING ──failover_on_failed(), on_first_answers()──▶ RESETTING (relay closed, what is in hand is written)
 *      ▲            └──▶ store_begin() with the other relay's cursor and marks ──▶ failover_switched() ──┐
 *      └───── at its cursor; without one, where its events are as old as the last written (seek.h) ────┘
 *
 * Nothing is missed by that: a relay that comes back is read on from its own cursor. What comes twice is recognised by
 * repo and rev (seen.h). */
#include "config.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "master/context.h"

/* Relays do not get an event at the same moment, nor in the same order. */
static const int64_t SEEK_MARGIN_US = INT64_C(60) * 1000000;

bool failover_set_up(struct master *m, struct error *why)
{
    if (!relay_list_init(&m->relays, m->config, why))
        return false;
    m->relay_changed_ms = clock_monotonic_ms();
    return m->relays.count == 1 || failover_make_dedup(m, why);
}

bool failover_make_dedup(struct master *m, struct error *why)
{
    if (m->dedup != NULL)
        return true;
    m->dedup = dedup_new((size_t)m->config->relay_memory);
    if (m->dedup == NULL)
        error_set(why, "relay_memory: out of memory");
    return m->dedup != NULL;
}

/* ---- changing ---- */

/* The time of the newest event that is in Redis; 0: not known. */
static int64_t newest_event_us(const struct master *m)
{
    int64_t newest = 0;
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        const struct worker_slot *slot = &m->counters->workers[i];
        int64_t commit_us = atomic_load_explicit(&slot->commit_us, memory_order_relaxed);
        int64_t event_us = commit_us - atomic_load_explicit(&slot->lag_us, memory_order_relaxed);
        if (commit_us > 0 && event_us > newest)
            newest = event_us;
    }
    return newest;
}

static void change_to(struct master *m, unsigned index, bool is_try)
{
    m->is_changing_relay = true;
    m->next_relay = index;
    m->next_is_try = is_try;
    log_warn("relay %s: going over to %s", relay_list_current(&m->relays)->name, m->relays.list[index].name);
    m->state = MASTER_RESETTING;
    relay_stop(m->relay);
}

void failover_on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct master *m = arg;
    if (m->state == MASTER_RUNNING && !m->is_paused && !relay_is_up(m->relay) && m->relays.count > 1)
        change_to(m, relay_list_next(&m->relays), false);
}

void failover_on_failed(struct master *m, bool healthy)
{
    const struct timeval now = {0};
    if (healthy)
        relay_list_healthy(&m->relays, m->config);
    /* Not from inside the relay's own failing. */
    if (relay_list_failed(&m->relays, m->config))
        evtimer_add(m->change_relay, &now);
}

/* All that was read from the one before is written. */
void failover_switch(struct master *m)
{
    m->wanted_us = newest_event_us(m);
    failover_take_new_list(m);
    relay_list_select(&m->relays, m->next_relay, m->next_is_try);
    m->relay_changed_ms = clock_monotonic_ms();
    m->relay_changes++;
    struct store_keys keys = master_store_keys(m);
    store_begin_relay(m->store, &keys);
}

/* The cursor of the relay that is read from now on was asked for; found: it has one. */
void failover_switched(struct master *m, bool found, int64_t cursor)
{
    const char *name = relay_list_current(&m->relays)->name;
    m->is_changing_relay = false;
    m->search.is_on = false;
    m->asks_oldest = false;
    m->behind_run = 0;
    if (found) {
        log_info("relay %s: going on at its own cursor %" PRId64, name, cursor);
        m->has_last_seq = m->has_saved_cursor = true;
        m->last_seq = m->saved_cursor = cursor;
        sequence_began_at(m, cursor);
    } else if (m->wanted_us > 0) {
        log_info(
            "relay %s: it has no cursor yet: looking for where its events are as old as the last one written",
            name);
        start_search_begin(&m->search, m->wanted_us - SEEK_MARGIN_US);
    } else {
        m->asks_oldest = m->config->start == CONFIG_START_OLDEST;
        /* What happened before is to come from the relay that has a cursor of then. */
        if (!m->asks_oldest && m->dedup != NULL)
            dedup_begin_at(m->dedup, clock_unix_us());
        log_warn("relay %s: it has no cursor yet, and nothing was written: beginning with %s events", name,
                 m->asks_oldest ? "its oldest" : "live");
    }
}

/* ---- back to the first ---- */

static void on_first_answers(void *arg, int fd, const struct error *why)
{
    struct master *m = arg;
    m->probe = NULL;
    m->relay_changed_ms =
        clock_monotonic_ms(); /* whatever comes of it: not again before another relay_failback */
    if (fd < 0) {
        log_info("relay %s: still not to be reached: %s", m->relays.list[0].name, why->text);
        return;
    }
    close(fd);
    if (m->state == MASTER_RUNNING && !m->is_paused && m->relays.current != 0)
        change_to(m, 0, true);
}

void failover_tick(struct master *m)
{
    int64_t now = clock_monotonic_ms();
    if (relay_is_healthy(m->relay))
        relay_list_healthy(&m->relays, m->config);
    if (m->relays.current == 0 || m->config->relay_failback == 0 || m->probe != NULL ||
        m->state != MASTER_RUNNING || m->is_paused || now - m->relay_changed_ms < m->relays.failback_ms)
        return;
    /* First it must be there at all: a change costs a pause, a look costs nothing. */
    m->probe = connect_start(m->base, m->dns, &m->relays.list[0].url, (int)m->config->relay_connect_timeout,
                             on_first_answers, m);
}

/* ---- frames ---- */

enum search_verdict failover_search(struct master *m, const struct frame_peek *peek, const uint8_t *frame,
                                size_t len)
{
    struct slice time;
    int64_t time_us;
    if (!m->search.is_on || !peek->has_seq)
        return SEARCH_TAKE;
    if (!frame_time(frame, len, &time) || !rfc3339_parse(time.ptr, time.len, &time_us))
        return SEARCH_SKIP;
    if (start_search_judge(&m->search, peek->seq, time_us) == START_RETRY)
        return SEARCH_RECONNECT;
    log_info("relay %s: beginning with seq %" PRId64, relay_list_current(&m->relays)->name, peek->seq);
    return SEARCH_TAKE;
}

bool failover_is_duplicate(const struct master *m, const struct frame_peek *peek)
{
    return m->dedup != NULL && peek->kind == FRAME_COMMIT &&
           dedup_is_duplicate(m->dedup, relay_list_current(&m->relays)->id, peek->did.ptr, peek->did.len,
                          peek->rev.ptr, peek->rev.len);
}

void failover_note_taken(struct master *m, const struct frame_peek *peek)
{
    if (m->dedup != NULL && peek->kind == FRAME_COMMIT)
        dedup_add(m->dedup, relay_list_current(&m->relays)->id, peek->did.ptr, peek->did.len, peek->rev.ptr,
                  peek->rev.len);
}

/* ---- the configuration ---- */

bool failover_reload(struct master *m)
{
    struct error why;
    if (!relay_list_init(&m->new_relays, m->config, &why) ||
        (m->new_relays.count > 1 && !failover_make_dedup(m, &why))) {
        log_error("relay: %s", why.text); /* it was checked: memory is short */
        return true;
    }
    if (relay_list_replace(&m->relays, &m->new_relays))
        return true;
    if (m->state != MASTER_RUNNING) { /* nothing was read yet */
        m->relays = m->new_relays;
        return true;
    }
    m->has_new_relays = true;
    return false;
}

/* What was read from the old list is written, under its keys. */
void failover_take_new_list(struct master *m)
{
    if (m->has_new_relays)
        m->relays = m->new_relays;
    m->has_new_relays = false;
}

void failover_change_list(struct master *m)
{
    m->is_changing_relay = true;
    m->next_relay = 0;
    m->next_is_try = false;
    m->state = MASTER_RESETTING;
    relay_stop(m->relay);
}

json_t *relays_json(const struct master *m)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < m->relays.count; i++)
        json_array_append_new(list, json_pack("{s:s,s:b,s:I}", "name", m->relays.list[i].name, "current",
                                              i == m->relays.current, "failures",
                                              (json_int_t)m->relays.list[i].failures));
    return list;
}
