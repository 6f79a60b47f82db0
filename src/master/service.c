#include "config.h"

#include "master/service.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/notify.h"

enum { STATUS_MS = 5000 };

/* Up means: configured, its loop turns, its sockets are there. Relay and Redis may still be waited for: that is no
 * reason to call the start failed, or to hold back services that come after this one. */
void service_started(void) { notify_send("READY=1\nSTATUS=waiting for Redis"); }
void service_stopping(void) { notify_send("STOPPING=1\nSTATUS=finishing what is in flight"); }

static void send_status(const struct snapshot *s)
{
    char text[600], cursor[24] = "none yet";
    if (s->cursor >= 0)
        snprintf(cursor, sizeof cursor, "%" PRId64, s->cursor);
    snprintf(text, sizeof text, "STATUS=relay %s: %s, redis: %s, cursor: %s, %" PRIu64 " events", s->relay_host,
             s->relay_state, s->redis_state, cursor, s->done);
    notify_send(text);
}

void service_tick(struct service *v, const struct snapshot *s)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    if (watchdog_ms > 0 && s->now_ms - v->watchdog_ms >= watchdog_ms) {
        v->watchdog_ms = s->now_ms;
        notify_send("WATCHDOG=1");
    }
    if (s->now_ms - v->status_ms >= STATUS_MS) {
        v->status_ms = s->now_ms;
        send_status(s);
    }
}
