#include "config.h"

#include "worker/intake.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void intake_init(struct intake *in, const struct ring_view *ring) { *in = (struct intake){.ring = *ring}; }

static size_t whole_refs(const struct intake *in) { return in->bytes / sizeof in->refs[0]; }

bool intake_is_empty(const struct intake *in) { return in->next == whole_refs(in); }

bool intake_is_full(const struct intake *in) { return in->next == 0 && in->bytes == sizeof in->refs; }

bool intake_peek(const struct intake *in, struct frame_ref *ref, const uint8_t **frame)
{
    if (intake_is_empty(in))
        return false;
    *ref = in->refs[in->next];
    *frame = in->ring.bytes + ref->at;
    return true;
}

void intake_drop(struct intake *in) { in->next++; }

/* Moves the references that are not taken to the front; the last one may be a part. */
static void make_room(struct intake *in)
{
    size_t taken = in->next * sizeof in->refs[0];
    if (taken == 0)
        return;
    memmove(in->refs, in->refs + in->next, in->bytes - taken);
    in->bytes -= taken;
    in->next = 0;
}

static bool are_in_the_ring(const struct intake *in, size_t first)
{
    for (size_t i = first; i < whole_refs(in); i++)
        if (in->refs[i].at >= in->ring.size || in->refs[i].len > in->ring.size)
            return false;
    return true;
}

bool intake_read(struct intake *in, int fd)
{
    make_room(in);
    size_t first = whole_refs(in);
    if (intake_is_full(in))
        return true;
    ssize_t n = read(fd, (char *)in->refs + in->bytes, sizeof in->refs - in->bytes);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    in->ended = n == 0;
    in->bytes += (size_t)n;
    if (are_in_the_ring(in, first))
        return true;
    errno = EBADMSG;
    return false;
}
