/* client_feed.c: messages from the sequence into a client's buffer, and what goes wrong there on purpose. */
#include "config.h"

#include <inttypes.h>

#include "cbor_write.h"
#include "dice.h"
#include "serve_client.h"

/* Many messages a write: system calls are what serving costs. With a last frame of usual size the buffer stays
 * within 256 KiB. */
enum { FEED_BYTES = 192 << 10, GARBAGE_BYTES = 512 };

/* ---- messages of the protocol itself ---- */

static void append_message(struct buffer *out, const struct buffer *frame)
{
    ws_append_frame(out, WS_SERVER, WS_BINARY, frame->data, frame->len);
    out->failed |= frame->failed;
}

void append_error_message(struct buffer *out, const char *name, const char *message)
{
    struct buffer frame;
    buffer_init(&frame);
    cbor_write_map(&frame, 1);
    cbor_pair_int(&frame, "op", -1);
    cbor_write_map(&frame, 2);
    cbor_pair_text(&frame, "error", name);
    cbor_pair_text(&frame, "message", message);
    append_message(out, &frame);
    buffer_fini(&frame);
}

void append_info_message(struct buffer *out, const char *name, const char *message)
{
    struct buffer frame;
    buffer_init(&frame);
    cbor_write_map(&frame, 2);
    cbor_pair_text(&frame, "t", "#info");
    cbor_pair_int(&frame, "op", 1);
    cbor_write_map(&frame, 2);
    cbor_pair_text(&frame, "name", name);
    cbor_pair_text(&frame, "message", message);
    append_message(out, &frame);
    buffer_fini(&frame);
}

/* ---- faults ---- */

static void say_fault(const struct client *c, const char *fault)
{
    serve_say("client %" PRIu64 ": fault: %s, after %" PRIu64 " frames", c->number, fault, c->frames);
}

static void append_garbage(struct client *c)
{
    uint8_t garbage[GARBAGE_BYTES];
    struct dice d = {c->number};
    dice_bytes(&d, garbage, sizeof garbage);
    garbage[0] = 0xff; /* no item of CBOR begins with it */
    ws_append_frame(&c->out, WS_SERVER, WS_BINARY, garbage, sizeof garbage);
}

void client_apply_faults(struct client *c)
{
    struct faults *f = &c->server->faults;
    if (fault_fires(&f->garble, c->frames)) {
        say_fault(c, "garbage is sent");
        append_garbage(c);
    }
    if (fault_fires(&f->drop, c->frames)) {
        say_fault(c, "the connection is dropped");
        client_enter(c, CLIENT_ENDING);
    } else if (fault_fires(&f->stall, c->frames)) {
        say_fault(c, "the connection stalls");
        client_enter(c, CLIENT_STALLED);
    }
}

/* ---- the sequence ---- */

static void feed_one(struct client *c)
{
    struct server *s = c->server;
    sequence_append(&s->sequence, c->position, s->options->fragment, &c->out);
    if (s->stamps.at != NULL)
        stamps_note(&s->stamps, sequence_seq_at(&s->sequence, c->position));
    c->frames++;
    s->total_frames++;
    if (s->faults.repeat_every > 0 && c->frames % s->faults.repeat_every == 0) {
        say_fault(c, "the last frame is repeated");
        sequence_append(&s->sequence, c->position, s->options->fragment, &c->out);
    }
    c->position++;
    client_apply_faults(c);
}

void client_feed(struct client *c)
{
    struct server *s = c->server;
    uint64_t limit = server_limit(s);
    while (c->state == CLIENT_STREAMING && c->position < limit && c->out.len < FEED_BYTES && !c->out.failed)
        feed_one(c);
    if (c->position > s->furthest)
        s->furthest = c->position;
    if (c->position >= limit)
        c->is_live = true;
    if (c->state == CLIENT_STREAMING && c->position >= s->sequence.end && s->options->close_after)
        client_close(c, WS_CLOSE_NORMAL, "all has been sent");
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
