/* service.c: what a service manager is told (Type=notify): that the daemon is up, how it is, that its loop turns. */
#include "config.h"

#include "master/service.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/notify.h"
#include "master/checkpoint.h"
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
    struct optional seq = checkpoint_cursor(m);
    if (seq.is_known)
        snprintf(cursor, sizeof cursor, "%" PRId64, seq.value);
    snprintf(text, sizeof text, "STATUS=relay %s: %s, redis: %s, cursor: %s, %" PRIu64 " events", relay_host(m->relay),
             relay_state_name(relay_state(m->relay)), store_state_name(m->store), cursor, m->progress.done);
    notify_send(text);
}

void service_tick(struct master *m)
{
    int64_t now = clock_monotonic_ms(), watchdog_ms = notify_watchdog_ms();
    if (watchdog_ms > 0 && now - m->service.watchdog_ms >= watchdog_ms) {
        m->service.watchdog_ms = now;
        notify_send("WATCHDOG=1");
    }
    if (now - m->service.status_ms >= STATUS_MS) {
        m->service.status_ms = now;
        send_status(m);
    }
}
