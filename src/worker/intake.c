#include "config.h"

#include "worker/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* About as much as a channel's buffers hold: one read takes all that has arrived. */
enum { INTAKE_BYTES = 256 * 1024 };

bool intake_init(struct intake *in)
{
    *in = (struct intake){.data = malloc(INTAKE_BYTES), .cap = INTAKE_BYTES};
    return in->data != NULL;
}

void intake_fini(struct intake *in)
{
    free(in->data);
    *in = (struct intake){0};
}

bool intake_peek(const struct intake *in, struct frame_header *header, const uint8_t **frame)
{
    size_t have = in->end - in->start;
    if (have < sizeof *header)
        return false;
    memcpy(header, in->data + in->start, sizeof *header);
    *frame = in->data + in->start + sizeof *header;
    return have - sizeof *header >= header->len;
}

void intake_drop(struct intake *in, const struct frame_header *header)
{
    in->start += sizeof *header + header->len;
    if (in->start == in->end)
        in->start = in->end = 0;
}

/* Gives the buffer another size; the bytes in it move to its front. */
static bool resize(struct intake *in, size_t cap)
{
    uint8_t *data = malloc(cap);
    if (data == NULL)
        return false;
    memcpy(data, in->data + in->start, in->end - in->start);
    free(in->data);
    *in = (struct intake){.data = data, .cap = cap, .end = in->end - in->start, .ended = in->ended};
    return true;
}

/* Makes room behind `end`: for the rest of a frame that has begun, at least. */
static bool make_room(struct intake *in)
{
    struct frame_header header;
    const uint8_t *frame;
    size_t have = in->end - in->start, need = INTAKE_BYTES;
    if (have >= sizeof header && !intake_peek(in, &header, &frame) && sizeof header + header.len > need)
        need = sizeof header + header.len;
    if (need > in->cap || (in->cap > INTAKE_BYTES && need == INTAKE_BYTES && have < INTAKE_BYTES))
        return resize(in, need); /* larger for a large frame, and back again after it */
    if (in->start > 0) {
        memmove(in->data, in->data + in->start, have);
        in->start = 0;
        in->end = have;
    }
    return true;
}

bool intake_read(struct intake *in, int fd)
{
    if (!make_room(in))
        return false;
    if (in->end == in->cap)
        return true;
    ssize_t n = read(fd, in->data + in->end, in->cap - in->end);
    if (n > 0)
        in->end += (size_t)n;
    else if (n == 0)
        in->ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        return false;
    return true;
}
