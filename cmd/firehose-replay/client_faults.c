#include "config.h"

#include "client_faults.h"

#include <inttypes.h>

#include "dice.h"

enum { GARBAGE_BYTES = 512 };

void client_say_fault(const struct client *c, const char *fault)
{
    serve_say("client %" PRIu64 ": fault: %s, after %" PRIu64 " frames", c->number, fault, c->frames);
}

static void append_garbage(struct client *c)
{
    uint8_t garbage[GARBAGE_BYTES];
    struct dice d = {c->number};
    dice_bytes(&d, garbage, sizeof garbage);
    garbage[0] = 0xff; /* no CBOR item begins with this byte */
    ws_append_frame(&c->out, WS_SERVER, WS_BINARY, garbage, sizeof garbage);
}

void client_apply_faults(struct client *c)
{
    struct faults *f = &c->server->faults;
    if (fault_fires(&f->garble, c->frames)) {
        client_say_fault(c, "garbage is sent");
        append_garbage(c);
    }
    if (fault_fires(&f->drop, c->frames)) {
        client_say_fault(c, "the connection is dropped");
        client_enter(c, CLIENT_ENDING);
    } else if (fault_fires(&f->stall, c->frames)) {
        client_say_fault(c, "the connection stalls");
        client_enter(c, CLIENT_STALLED);
    }
}
