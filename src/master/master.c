/* master.c: the master's life: start, signals, timers, end. Each event has its callback here; the work is
 * done by the verbs of the other files. */
#include "config.h"

#include "master/master.h"

#include <event2/thread.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/human.h"
#include "base/log_shared.h"
#include "base/privileges.h"
#include "master/commands/dead_letters.h"
#include "master/context.h"
#include "net/url.h"
#include "master/commands/tail.h"
#include "master/commands/deferred.h"

enum { REPORT_MS = 10000, ROOM_TO_RESUME = 8 /* an eighth of the ring */ };

static struct timeval interval(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

void master_end_loop(struct master *m)
{
    event_base_loopbreak(m->base);
}

/* ---- the relay ---- */

static struct optional on_relay_cursor(void *arg)
{
    struct master *m = arg;
    if (m->search.is_on)
        return start_search_cursor(&m->search);
    return m->has_last_seq ? optional_of(m->last_seq) : m->asks_oldest ? optional_of(0) : optional_none();
}

static void on_relay_connected(void *arg)
{
    struct master *m = arg;
    frames_drop_held(m); /* it is asked for again */
    m->behind_run = 0;
    m->is_first = true;
}

/* What frames_take() wants of the relay while the message hook runs: the hook returns it. */
static struct relay_answer *relay_wish;

void master_reconnect_relay(struct master *m, const char *why, bool at_once)
{
    static struct error kept;
    error_set(&kept, "%s", why);
    if (relay_wish != NULL)
        *relay_wish = (struct relay_answer){RELAY_RECONNECT, at_once, kept.text};
    else
        relay_reconnect(m->relay, why, at_once);
}

void master_stop_relay(struct master *m)
{
    if (relay_wish != NULL)
        *relay_wish = (struct relay_answer){.verdict = RELAY_STOP};
    else
        relay_stop(m->relay);
}

static struct relay_answer on_relay_message(void *arg, const uint8_t *frame, size_t offset, size_t len,
                                            size_t consumed)
{
    struct relay_answer answer = {.verdict = RELAY_TAKEN};
    relay_wish = &answer;
    bool is_taken = frames_take(arg, frame, offset, len, consumed);
    relay_wish = NULL;
    if (!is_taken && answer.verdict == RELAY_TAKEN)
        answer.verdict = RELAY_WAIT;
    return answer;
}

static void on_relay_failed(void *arg, bool healthy)
{
    failover_on_failed(arg, healthy);
}

static void on_relay_idle(void *arg)
{
    struct master *m = arg;
    pool_feed(m->pool);
}

static void stop_when_done(struct master *m);

static void on_relay_stopped(void *arg)
{
    struct master *m = arg;
    frames_drop_held(m);
    if (m->state == MASTER_STOPPING && !pool_is_draining(m->pool))
        pool_drain(m->pool, true);
    else if (m->state == MASTER_REWINDING)
        sequence_rewind_when_quiet(m);
    else if (m->state == MASTER_RESETTING)
        sequence_reset_when_quiet(m);
    else if (m->state == MASTER_RUNNING && !m->is_paused)
        relay_start(m->relay); /* resumed while it was closing */
    deferred_check_all(m);
}

/* ---- the workers ---- */

static void on_slots_taken(void *arg)
{
    struct master *m = arg;
    if (m->state == MASTER_RUNNING)
        pool_start(m->pool, ledger_workers(m->ledger), relay_list_current(&m->relays)->progress_key);
}

/* "Processed 50,000 events (~2,500 events/sec, cursor: 123456789)": operators grep for it. */
static void report_progress(struct master *m)
{
    int64_t now = clock_monotonic_ms(), cursor = 0;
    uint64_t step = (uint64_t)m->config->report_events;
    if (m->done / step == m->reported_done / step ||
        (m->reported_done > 0 && now - m->reported_ms < REPORT_MS))
        return;
    int64_t ms = now - (m->reported_ms > 0 ? m->reported_ms : m->started_ms);
    uint64_t rate = ms > 0 ? (m->done - m->reported_done) * 1000 / (uint64_t)ms : 0;
    char events[HUMAN_BYTES], per_second[HUMAN_BYTES];
    master_cursor(m, &cursor);
    log_info("Processed %s events (~%s events/sec, cursor: %" PRId64 ")",
             human_count(m->done / step * step, events), human_count(rate, per_second), cursor);
    m->reported_done = m->done;
    m->reported_ms = now;
}

static void on_started(void *arg, unsigned index)
{
    tail_tell(arg, index);
}

static void on_committed(void *arg, size_t frames)
{
    struct master *m = arg;
    m->done += frames;
    report_progress(m);
    if (relay_is_paused(m->relay) && ledger_size_bytes(m->ledger) - ledger_used_bytes(m->ledger) >=
                                         ledger_size_bytes(m->ledger) / ROOM_TO_RESUME)
        relay_resume(m->relay);
    if (ledger_record_count(m->ledger) == 0)
        deferred_check_all(m);
}

static void on_drained(void *arg)
{
    struct master *m = arg;
    if (m->state == MASTER_STOPPING) {
        m->workers_left = true;
        stop_when_done(m);
    } else if (m->state == MASTER_REWINDING) {
        sequence_rewind_when_quiet(m);
    } else if (m->state == MASTER_RESETTING) {
        if (relay_state(m->relay) == RELAY_STOPPED && ledger_record_count(m->ledger) == 0)
            sequence_reset_when_quiet(m);
        else if (relay_state(m->relay) == RELAY_STOPPED)
            pool_drain(m->pool, true);
    } else {
        reload_finish(m);
    }
}

static void on_retried(void *arg, uint64_t number, bool ok, const char *why)
{
    dead_letters_retried(arg, number, ok, why);
}

static void on_marks_lost(void *arg)
{
    struct master *m = arg;
    switch (m->state) {
    case MASTER_STOPPING:
        if (!m->cursor_is_void)
            log_error("redis has lost data: the cursor is not saved, the next start reads again what is lost");
        m->cursor_is_void = true;
        master_end_loop(m);
        break;
    case MASTER_RESETTING: /* what was lost belongs to a sequence that is no more, or is not read now */
        if (m->is_changing_relay)
            log_error("redis has lost data of the relay that is left: it is read again when that relay is");
        else
            log_error("redis has lost data of the sequence that has ended: it cannot be read again");
        known_marks_forget(m->known);
        sequence_forget_seen(m);
        break;
    default:
        sequence_rewind(m);
    }
}

/* ---- the end ---- */

/* A second firehosed on the same keys: it has fenced our workers, and reads on where they ended. Nothing is
 * saved any more: it is its cursor now. */
static void on_taken_over(void *arg)
{
    struct master *m = arg;
    if (m->exit_status != MASTER_EXIT_TAKEN_OVER)
        log_error("another firehosed has taken over %s and the other keys: leaving the work to it",
                  m->config->stream_key);
    m->exit_status = MASTER_EXIT_TAKEN_OVER;
    m->cursor_is_void = true;
    pool_kill(m->pool);
    master_end_loop(m);
}

static void stop_when_done(struct master *m)
{
    int64_t cursor = 0;
    if (m->cursor_is_void)
        return;
    bool has_cursor = master_cursor(m, &cursor);
    dashboard_end(m->dashboard, relay_shown(m->relay), has_cursor, cursor);
    if (!has_cursor) {
        master_end_loop(m);
        return;
    }
    store_save_cursor(m->store, cursor); /* sequence_saved() goes on, or the time runs out */
}

static void on_give_up(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct master *m = arg;
    log_warn("shutdown_timeout: %zu frames are not in Redis yet; they are read again after the next start",
             ledger_record_count(m->ledger));
    pool_kill(m->pool);
    master_end_loop(m);
}

void master_stop(struct master *m, const char *why)
{
    if (m->state == MASTER_STOPPING)
        return;
    bool running = m->state == MASTER_RUNNING || (m->state == MASTER_RESETTING && !pool_is_gone(m->pool));
    struct timeval patience = interval(m->config->shutdown_timeout);
    log_info("%s: stopping", why);
    service_stopping();
    m->state = MASTER_STOPPING;
    if (!running) {
        master_end_loop(m); /* nothing was begun */
        return;
    }
    evtimer_add(m->give_up, &patience);
    /* A drain for a reload may be under way: it becomes one for good. */
    master_stop_relay(m);
    if (!pool_is_draining(m->pool))
        return;
    if (pool_is_gone(m->pool)) {
        /* Between two sets of workers, and the slots are not taken yet: who has partitions of another worker now must
         * not write before. What is in the ring is read again by the next start. */
        m->workers_left = true;
        stop_when_done(m);
    } else {
        pool_drain(m->pool, true);
    }
}

/* ---- signals and timers ---- */

static void reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (!pool_reap(m->pool, pid, status))
            filter_reap(m->filter, pid);
}

static void reopen_log(struct master *m, const char *why)
{
    struct error failure;
    if (!log_open(m->config->log_file, &failure)) {
        log_error("%s; still logging to the old one", failure.text);
        return;
    }
    pool_reopen_log(m->pool);
    log_info("%s: log opened again", why);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    struct master *m = arg;
    switch (number) {
    case SIGTERM:
        master_stop(m, "SIGTERM");
        break;
    case SIGINT:
        master_stop(m, "SIGINT");
        break;
    case SIGCHLD:
        reap(m);
        break;
    case SIGHUP:
        log_info("SIGHUP: reloading the configuration");
        reload_begin(m);
        break;
    case SIGUSR1:
        reopen_log(m, "SIGUSR1");
        break;
    }
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct master *m = arg;
    int64_t cursor = 0;
    bool has_cursor = master_cursor(m, &cursor);
    dashboard_tick(m->dashboard, relay_is_up(m->relay), relay_shown(m->relay), has_cursor, cursor);
    pool_check(m->pool);
    sample_second(m);
    service_tick(m);
    log_tick();
    if (log_take_syslog_loss())
        reopen_log(m, "syslog was away, lines may be missing");
    failover_tick(m);
    deferred_tick(m);
    tail_tick(m);
    if (m->state == MASTER_STOPPING && m->workers_left)
        stop_when_done(m); /* Redis may have come back */
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct master *m = arg;
    struct timeval again = interval(m->config->cursor_interval);
    sequence_save(m);
    evtimer_add(m->save, &again);
}

/* ---- start ---- */

static bool set_up_events(struct master *m)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1};
    struct timeval second = {.tv_sec = 1}, save = interval(m->config->cursor_interval);
    m->base = event_base_new();
    if (m->base == NULL)
        return false;
    m->dns = evdns_base_new(m->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (m->dns == NULL) /* no resolv.conf, or nothing in it: addresses and "localhost" still work */
        m->dns = evdns_base_new(m->base, 0);
    for (int i = 0; i < SIGNALS; i++) {
        m->signals[i] = evsignal_new(m->base, numbers[i], on_signal, m);
        if (m->signals[i] == NULL || event_add(m->signals[i], NULL) < 0)
            return false;
    }
    m->second = event_new(m->base, -1, EV_PERSIST, on_second, m);
    m->save = evtimer_new(m->base, on_save, m);
    m->give_up = evtimer_new(m->base, on_give_up, m);
    m->change_relay = evtimer_new(m->base, failover_on_due, m);
    return m->second != NULL && m->save != NULL && m->give_up != NULL &&
           m->change_relay != NULL && event_add(m->second, &second) == 0 &&
           evtimer_add(m->save, &save) == 0;
}

static void on_filter_loaded(void *arg, const struct error *failure)
{
    reload_accept(arg, failure);
}

static bool set_up(struct master *m, pool_child_main *child_main, struct error *why)
{
    const struct relay_hooks relay_hooks = {.arg = m,
                                            .cursor = on_relay_cursor,
                                            .connected = on_relay_connected,
                                            .message = on_relay_message,
                                            .idle = on_relay_idle,
                                            .failed = on_relay_failed,
                                            .stopped = on_relay_stopped};
    const struct pool_hooks pool_hooks = {.arg = m,
                                          .committed = on_committed,
                                          .started = on_started,
                                          .drained = on_drained,
                                          .taken_over = on_taken_over,
                                          .retried = on_retried,
                                          .marks_lost = on_marks_lost};
    const struct store_hooks store_hooks = {.arg = m,
                                            .begun = sequence_begun,
                                            .may_drop = sequence_may_drop,
                                            .slots_taken = on_slots_taken,
                                            .taken_over = on_taken_over,
                                            .data_lost = on_marks_lost,
                                            .cursor_saved = sequence_saved};
    const struct filter_hooks filter_hooks = {.arg = m, .loaded = on_filter_loaded};
    m->filter = filter_new(m->config, &filter_hooks, why);
    if (m->filter == NULL)
        return false;
    if (!failover_set_up(m, why))
        return false;
    error_set(why, "out of memory");
    m->ledger = ledger_new((size_t)m->config->ring_size, config_worker_count(m->config), why);
    if (m->ledger == NULL || !set_up_events(m))
        return false;
    m->counters = counters_new();
    m->known = known_marks_new();
    m->relay = relay_new(m->base, m->dns, m->ledger, m->config, &m->relays, &relay_hooks);
    m->store = store_new(m->base, m->dns, m->config, &m->owner, m->known, &store_hooks);
    if (m->counters == NULL || m->known == NULL || m->relay == NULL || m->store == NULL)
        return false;
    m->pool =
        pool_new(m->base, m->dns, m->ledger, m->counters, m->known, m->config, &m->owner, child_main, &pool_hooks);
    m->dashboard = dashboard_new(m->config, m->store);
    m->traffic = traffic_new(m->config, clock_monotonic_ms());
    m->wants_time = true;
    if (m->pool == NULL || m->dashboard == NULL || m->traffic == NULL)
        return false;
    if (!endpoints_open(m, why))
        return false;
    if (m->config->control_socket[0] == '\0')
        return true;
    m->control = control_new(m->base, m->config->control_socket, commands_take, m, why);
    if (m->control == NULL && !config_is_set(m->config, "control_socket")) {
        log_warn("%s; firehosectl will not reach this firehosed (set control_socket)", why->text);
        return true;
    }
    return m->control != NULL;
}

/* All that root may be needed for is open now: on as whom the configuration says. */
static bool drop_privileges(struct master *m, struct error *why)
{
    struct privileges p;
    if (!privileges_find(m->config, &p, why))
        return false;
    if (m->control != NULL && !privileges_give_socket(&p, m->config->control_socket, why))
        return false;
    if (!privileges_drop(&p, why))
        return false;
    if (p.uid == 0)
        log_warn("running as root: set user, nothing here needs it");
    else if (p.changes)
        log_info("running as user %s, group %d", p.user[0] != '\0' ? p.user : "as started", (int)p.gid);
    return true;
}

static void tear_down(struct master *m)
{
    deferred_end(m);
    dead_letters_end(m);
    store_forget_calls(m->store);
    if (m->pool != NULL)
        tail_end(m);
    control_free(m->control);
    http_free(m->http);
    if (m->pool != NULL)
        pool_kill(m->pool);
    pool_free(m->pool);
    filter_free(m->filter);
    connect_cancel(m->probe);
    dedup_free(m->dedup);
    relay_free(m->relay);
    dashboard_free(m->dashboard);
    traffic_free(m->traffic);
    store_free(m->store);
    ledger_free(m->ledger);
    for (int i = 0; i < SIGNALS; i++)
        if (m->signals[i] != NULL)
            event_free(m->signals[i]);
    struct event *const timers[] = {m->second, m->save, m->give_up, m->change_relay};
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
        if (timers[i] != NULL)
            event_free(timers[i]);
    if (m->dns != NULL)
        evdns_base_free(m->dns, 1);
    if (m->base != NULL) {
        event_base_loop(m->base, EVLOOP_NONBLOCK); /* lets what evdns deferred run, and be freed */
        event_base_free(m->base);
    }
    json_decref(m->reload_changes);
    config_free(m->loading);
    config_free(m->pending);
    config_free(m->config);
    libevent_global_shutdown();
}

int master_run(struct config *config, const char *config_file, pool_child_main *child_main)
{
    struct master m = {.config = config, .config_file = config_file, .started_ms = clock_monotonic_ms()};
    struct error why;
    char redis[URL_HOST_BYTES + URL_PATH_BYTES];
    struct url url;
    signal(SIGPIPE, SIG_IGN);
    log_share();
    log_name("master");
    if (getrandom(&m.owner.instance, sizeof m.owner.instance, 0) != sizeof m.owner.instance)
        m.owner.instance = (uint64_t)clock_unix_us();
    if (set_up(&m, child_main, &why) && drop_privileges(&m, &why)) {
        if (url_parse(config->redis, &url, &why))
            log_info("firehosed " PACKAGE_VERSION ": relay %s, redis %s, %u workers", relay_shown(m.relay),
                     url_redacted(&url, redis, sizeof redis), config_worker_count(config));
        struct store_keys keys = master_store_keys(&m);
        store_begin(m.store, &keys, false);
        store_start(m.store);
        service_started();
        event_base_dispatch(m.base);
        log_info("stopped");
    } else {
        log_error("cannot start: %s", why.text);
        /* dids_file is part of the configuration. */
        m.exit_status = m.filter == NULL ? MASTER_EXIT_CONFIG : EXIT_FAILURE;
    }
    int status = m.exit_status;
    tear_down(&m);
    return status;
}
