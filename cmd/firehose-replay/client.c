#include "config.h"

#include "client.h"

#include <sys/socket.h>

#include "base/clock.h"

enum { OPENING_MS = 10000, CLOSING_MS = 5000, LINGERING_MS = 2000 };

void client_enter(struct client *c, enum client_state state)
{
    static const int64_t limits_ms[] = {
        [CLIENT_TLS] = OPENING_MS,      [CLIENT_REQUEST] = OPENING_MS, [CLIENT_CLOSING] = CLOSING_MS,
        [CLIENT_ENDING] = CLOSING_MS,   [CLIENT_LINGERING] = LINGERING_MS,
        [CLIENT_STREAMING] = INT64_MAX, [CLIENT_STALLED] = INT64_MAX,
    };
    c->state = state;
    c->deadline_ms = limits_ms[state] == INT64_MAX ? INT64_MAX : clock_monotonic_ms() + limits_ms[state];
    if (state == CLIENT_LINGERING)
        shutdown(c->stream.fd, SHUT_WR);
    if (state == CLIENT_STALLED) {
        event_del(c->readable);
        event_del(c->writable);
    }
}

void client_close(struct client *c, uint16_t code, const char *reason)
{
    ws_append_close(&c->out, WS_SERVER, code, reason);
    client_enter(c, CLIENT_CLOSING);
}

bool client_is_written(const struct client *c) { return c->written == c->out.len; }

bool client_has_more(const struct client *c)
{
    return !client_is_written(c) || (c->state == CLIENT_STREAMING && c->position < server_limit(c->server));
}

void client_wake(struct client *c)
{
    if (c->state != CLIENT_TLS && c->state != CLIENT_STALLED && client_has_more(c))
        event_add(c->writable, NULL);
}
