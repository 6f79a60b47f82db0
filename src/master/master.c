/* master.c: the master's life: start, signals, timers, end. Each event has its callback here; the other files have the
 * verbs that do the work. */
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
#include "base/privileges.h"
#include "master/checkpoint.h"
#include "master/commands/commands.h"
#include "master/commands/dead_letters.h"
#include "master/commands/deferred.h"
#include "master/commands/tail.h"
#include "master/context.h"
#include "master/ingest.h"
#include "master/reload.h"
#include "master/report/report.h"
#include "master/service.h"
#include "master/setting_text.h"
#include "master/transitions.h"

enum { ROOM_TO_RESUME = 8 /* an eighth of the ring */ };

static struct timeval interval(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* ---- the relay ---- */

static struct optional on_relay_cursor(void *arg)
{
    struct master *m = arg;
    return failover_is_searching(m->failover) ? failover_search_cursor(m->failover) : sequence_asks_for(&m->sequence);
}

static void on_relay_connected(void *arg)
{
    struct master *m = arg;
    ingest_drop_held(m);
    sequence_connected(&m->sequence);
    failover_on_connected(m->failover);
}

static struct relay_answer on_relay_message(void *arg, const uint8_t *frame, size_t offset, size_t len, size_t consumed)
{
    struct relay_answer answer = ingest_take(arg, frame, offset, len, consumed);
    if (answer.verdict == RELAY_STOP)
        transition_leave_sequence(arg);
    return answer;
}

static void on_relay_idle(void *arg)
{
    struct master *m = arg;
    pool_feed(m->pool);
}

/* The relay is failing right now: its change waits for an event of its own. */
static void on_relay_failed(void *arg, bool is_healthy, int64_t asked_ms)
{
    const struct timeval now = {0};
    struct master *m = arg;
    if (failover_on_failed(m->failover, is_healthy, asked_ms, clock_monotonic_ms()))
        evtimer_add(m->events.change_relay, &now);
}

static void on_relay_stopped(void *arg)
{
    transition_on_relay_stopped(arg);
    deferred_check_all(arg);
}

/* Carries a wish out, if the master is reading a relay right now. */
static void on_change_wished(void *arg, struct failover_wish wish)
{
    struct master *m = arg;
    const struct relay_list *list = failover_list(m->failover);
    if (!wish.is_wanted || !master_is_running(m) || m->course.is_paused)
        return;
    log_warn("relay %s: going over to %s", relay_list_current(list)->name, list->list[wish.index].name);
    transition_change_relay(m, wish);
}

static void on_change_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct master *m = arg;
    if (!relay_is_up(m->relay))
        on_change_wished(m, failover_next(m->failover, clock_monotonic_ms()));
}

/* ---- the store ---- */

static void on_begun(void *arg, struct optional cursor)
{
    struct master *m = arg;
    if (!transition_on_begun(m, cursor))
        return;
    reload_apply(m);
    deferred_check_all(m);
}

static bool on_may_drop(void *arg) { return transition_may_drop(arg); }

static void on_slots_taken(void *arg) { transition_on_slots_taken(arg); }

static void on_cursor_saved(void *arg, int64_t cursor)
{
    transition_on_cursor_saved(arg, cursor);
    deferred_check_all(arg);
}

static void on_data_lost(void *arg) { transition_on_data_lost(arg); }

static void on_taken_over(void *arg) { transition_on_taken_over(arg); }

static void on_check_owner(void *arg) { store_check_owner(((struct master *)arg)->store); }

/* ---- the workers ---- */

/* "Processed 50,000 events (~2,500 events/sec, cursor: 123456789)": operators grep for it. */
static void report_progress(struct master *m)
{
    char events[HUMAN_BYTES], per_second[HUMAN_BYTES];
    struct optional cursor = checkpoint_cursor(m);
    if (!cursor.is_known)
        return;
    struct progress_report r =
        progress_report(&m->progress, (uint64_t)m->config->report_events, clock_monotonic_ms());
    if (r.is_due)
        log_info("Processed %s events (~%s events/sec, cursor: %" PRId64 ")", human_count(r.events, events),
                 human_count(r.per_second, per_second), cursor.value);
}

static void on_started(void *arg, unsigned index) { tail_tell(arg, index); }

static void on_committed(void *arg, size_t frames)
{
    struct master *m = arg;
    m->progress.done += frames;
    report_progress(m);
    if (relay_is_paused(m->relay) && ledger_size_bytes(m->ledger) - ledger_used_bytes(m->ledger) >=
                                         ledger_size_bytes(m->ledger) / ROOM_TO_RESUME)
        relay_resume(m->relay);
    if (ledger_record_count(m->ledger) == 0)
        deferred_check_all(m);
}

static void on_drained(void *arg)
{
    if (!transition_on_drained(arg))
        reload_finish(arg);
}

static void on_retried(void *arg, uint64_t number, bool ok, const char *why)
{
    dead_letters_retried(arg, number, ok, why);
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
    log_info("%s: log opened again", why);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    struct master *m = arg;
    switch (number) {
    case SIGTERM:
        transition_stop(m, "SIGTERM");
        break;
    case SIGINT:
        transition_stop(m, "SIGINT");
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
    pool_check(m->pool);
    report_tick(m);
    report_progress(m);
    log_tick();
    if (log_take_syslog_loss())
        reopen_log(m, "syslog was away, lines may be missing");
    failover_tick(m->failover, clock_monotonic_ms(), relay_is_healthy(m->relay),
                  master_is_running(m) && !m->course.is_paused);
    if (failover_search_tick(m->failover))
        relay_reconnect(m->relay, failover_search_says(m->failover), true);
    deferred_tick(m);
    tail_tick(m);
    resolver_refresh(&m->resolver);
    transition_tick(m);
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct master *m = arg;
    struct timeval again = interval(m->config->cursor_interval);
    checkpoint_save(m);
    evtimer_add(m->events.save, &again);
}

static void on_give_up(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    transition_give_up(arg);
}

static void on_filter_loaded(void *arg, const struct error *failure) { reload_accept(arg, failure); }

/* ---- start ---- */

static bool set_up_events(struct master *m)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1};
    struct timeval second = {.tv_sec = 1}, save = interval(m->config->cursor_interval);
    m->base = event_base_new();
    if (m->base == NULL)
        return false;
    if (!resolver_init(&m->resolver, m->base, RESOLVER_CONF))
        return false;
    for (int i = 0; i < SIGNALS; i++) {
        m->events.signals[i] = evsignal_new(m->base, numbers[i], on_signal, m);
        if (m->events.signals[i] == NULL || event_add(m->events.signals[i], NULL) < 0)
            return false;
    }
    m->events.second = event_new(m->base, -1, EV_PERSIST, on_second, m);
    m->events.save = evtimer_new(m->base, on_save, m);
    m->events.give_up = evtimer_new(m->base, on_give_up, m);
    m->events.change_relay = evtimer_new(m->base, on_change_due, m);
    return m->events.second != NULL && m->events.save != NULL && m->events.give_up != NULL &&
           m->events.change_relay != NULL && event_add(m->events.second, &second) == 0 &&
           evtimer_add(m->events.save, &save) == 0;
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
                                          .check_owner = on_check_owner,
                                          .retried = on_retried,
                                          .marks_lost = on_data_lost};
    const struct store_hooks store_hooks = {.arg = m,
                                            .begun = on_begun,
                                            .may_drop = on_may_drop,
                                            .slots_taken = on_slots_taken,
                                            .taken_over = on_taken_over,
                                            .data_lost = on_data_lost,
                                            .cursor_saved = on_cursor_saved};
    const struct failover_hooks failover_hooks = {.arg = m, .change = on_change_wished};
    const struct filter_hooks filter_hooks = {.arg = m, .loaded = on_filter_loaded};
    m->filter = filter_new(m->config, &filter_hooks, why);
    if (m->filter == NULL)
        return false;
    error_set(why, "out of memory");
    if (!set_up_events(m))
        return false;
    m->failover = failover_new(m->base, m->resolver.dns, m->config, &failover_hooks, clock_monotonic_ms(), why);
    m->ledger = ledger_new((size_t)m->config->ring_size, config_worker_count(m->config), why);
    if (m->failover == NULL || m->ledger == NULL)
        return false;
    m->counters = counters_new();
    m->known = known_marks_new();
    m->relay = relay_new(m->base, m->resolver.dns, m->ledger, m->config, failover_list(m->failover), &relay_hooks);
    m->store = store_new(m->base, m->resolver.dns, m->config, &m->owner, m->known, &store_hooks);
    if (m->counters == NULL || m->known == NULL || m->relay == NULL || m->store == NULL)
        return false;
    m->pool = pool_new(m->base, m->resolver.dns, m->ledger, m->counters, m->known, m->config, &m->owner, child_main,
                       &pool_hooks);
    m->dashboard = dashboard_new(m->config, m->store);
    m->traffic = traffic_new(clock_monotonic_ms());
    ingest_want_time(m);
    if (m->pool == NULL || m->dashboard == NULL || m->traffic == NULL)
        return false;
    if (!report_open_pages(m, why))
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

/* Everything that needs root is open now: becomes the user of the configuration. */
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
    failover_free(m->failover);
    relay_free(m->relay);
    dashboard_free(m->dashboard);
    traffic_free(m->traffic);
    store_free(m->store);
    known_marks_free(m->known);
    ledger_free(m->ledger);
    for (int i = 0; i < SIGNALS; i++)
        if (m->events.signals[i] != NULL)
            event_free(m->events.signals[i]);
    struct event *const timers[] = {m->events.second, m->events.save, m->events.give_up, m->events.change_relay};
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
        if (timers[i] != NULL)
            event_free(timers[i]);
    resolver_fini(&m->resolver);
    if (m->base != NULL) {
        event_base_loop(m->base, EVLOOP_NONBLOCK); /* runs and frees what evdns has deferred */
        event_base_free(m->base);
    }
    json_decref(m->reload.changes);
    config_free(m->reload.loading);
    config_free(m->reload.pending);
    config_free(m->config);
    libevent_global_shutdown();
}

static void log_begin(const struct master *m)
{
    char redis[SETTING_TEXT_BYTES];
    const struct setting *row = &config_table[settings_find(config_table, "redis")];
    log_info("firehosed " PACKAGE_VERSION ": relay %s, redis %s, %u workers", relay_shown(m->relay),
             setting_text(row, m->config, redis, sizeof redis), config_worker_count(m->config));
}

/* "stopped: cursor 123456789 saved, 50,000 events written": the last line of the log. */
static void log_end(struct master *m)
{
    char cursor[40] = "cursor not saved", events[HUMAN_BYTES];
    if (m->sequence.saved.is_known && !m->course.cursor_is_void)
        snprintf(cursor, sizeof cursor, "cursor %" PRId64 " saved", m->sequence.saved.value);
    log_info("stopped: %s, %s events written", cursor, human_count(report_take(m)->counts[COUNTER_WRITTEN], events));
}

int master_run(struct config *config, const char *config_file, pool_child_main *child_main)
{
    struct master m = {.config = config, .config_file = config_file, .started_ms = clock_monotonic_ms()};
    m.progress.reported_ms = m.started_ms;
    struct error why;
    signal(SIGPIPE, SIG_IGN);
    log_name("master");
    if (getrandom(&m.owner.instance, sizeof m.owner.instance, 0) != sizeof m.owner.instance)
        m.owner.instance = (uint64_t)clock_unix_us();
    if (set_up(&m, child_main, &why) && drop_privileges(&m, &why)) {
        log_begin(&m);
        struct store_keys keys = checkpoint_keys(&m);
        store_begin(m.store, &keys, false);
        store_start(m.store);
        service_started();
        event_base_dispatch(m.base);
        log_end(&m);
    } else {
        log_error("cannot start: %s", why.text);
        /* dids_file is part of the configuration. */
        m.course.exit_status = m.filter == NULL ? MASTER_EXIT_CONFIG : EXIT_FAILURE;
    }
    int status = m.course.exit_status;
    tear_down(&m);
    return status;
}
