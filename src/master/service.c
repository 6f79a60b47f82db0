/* service.c: what a service manager is told (Type=notify): that the daemon is up, how it is, that its loop turns. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/notify.h"
#include "master/context.h"

enum { STATUS_MS = 5000 };

/* Up means: configured, its loop turns, its sockets are there. Relay and Redis may still be waited for: that is no
 * reason to call the start failed, or to hold back services that come after this one. */
void service_started(void)
{
    notify_send("READY=1\nSTATUS=waiting for Redis");
}

void service_stopping(void)
{
    notify_send("STOPPING=1\nSTATUS=finishing what is in flight");
}

static void send_status(const struct master *m)
{
    char text[600], cursor[32] = "none yet";
    int64_t seq;
    if (master_cursor(m, &seq))
        snprintf(cursor, sizeof cursor, "%" PRId64, seq);
    snprintf(text, sizeof text, "STATUS=relay %s: %s, redis: %s, cursor: %s, %" PRIu64 " events", relay_host(m->relay),
             relay_state_name(relay_state(m->relay)), store_state_name(m->store), cursor, m->done);
    notify_send(text);
}

void service_tick(struct master *m)
{
    int64_t now = clock_monotonic_ms(), watchdog_ms = notify_watchdog_ms();
    if (watchdog_ms > 0 && now - m->watchdog_told_ms >= watchdog_ms) {
        m->watchdog_told_ms = now;
        notify_send("WATCHDOG=1");
    }
    if (now - m->status_told_ms >= STATUS_MS) {
        m->status_told_ms = now;
        send_status(m);
    }
}
