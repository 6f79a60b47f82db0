#include "config.h"

#include "client_feed.h"

#include <inttypes.h>

#include "base/clock.h"
#include "client_faults.h"
#include "client_message.h"

/* Bytes of messages for one write, because system calls are the cost of serving. With a last frame of usual size the
 * buffer stays within 256 KiB. */
enum { FEED_BYTES = 192 << 10 };

static void feed_one(struct client *c, const char *time)
{
    struct server *s = c->server;
    sequence_append(&s->sequence, c->position, s->options->fragment, time, &c->out);
    if (s->stamps.at != NULL)
        stamps_note(&s->stamps, sequence_seq_at(&s->sequence, c->position));
    c->frames++;
    s->total_frames++;
    if (s->faults.repeat_every > 0 && c->frames % s->faults.repeat_every == 0) {
        client_say_fault(c, "the last frame is repeated");
        sequence_append(&s->sequence, c->position, s->options->fragment, time, &c->out);
    }
    c->position++;
    client_apply_faults(c);
}

void client_feed(struct client *c)
{
    struct server *s = c->server;
    uint64_t limit = server_limit(s);
    char now[CLOCK_TEXT_BYTES];
    clock_format_utc(clock_unix_us(), now); /* for all that goes out with one write */
    while (c->state == CLIENT_STREAMING && c->position < limit && c->out.len < FEED_BYTES && !c->out.failed)
        feed_one(c, s->options->stamps_now ? now : NULL);
    if (c->position > s->furthest)
        s->furthest = c->position;
    if (c->position >= limit)
        c->is_live = true;
    if (c->state == CLIENT_STREAMING && c->position >= s->sequence.end && s->options->close_after)
        client_close(c, WS_CLOSE_NORMAL, "all events are sent");
}

void client_check_speed(struct client *c)
{
    struct server *s = c->server;
    uint64_t limit = server_limit(s), allowed = s->options->slow_limit;
    if (allowed == 0 || c->state != CLIENT_STREAMING || !c->is_live || limit < c->position ||
        limit - c->position <= allowed)
        return;
    serve_say("client %" PRIu64 ": too slow, %" PRIu64 " events behind", c->number, limit - c->position);
    append_error_message(&c->out, "ConsumerTooSlow", "Stream consumer too slow");
    client_enter(c, CLIENT_ENDING);
    client_wake(c);
}
