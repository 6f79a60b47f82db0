#include "config.h"

#include "retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void retry_init(struct retry *r)
{
    *r = (struct retry){0};
    batch_init(&r->batch);
}

/* Reads the whole file. Returns false if it is empty, cannot be read, or memory is short. */
static bool read_file(struct retry *r, int fd)
{
    struct buffer bytes;
    ssize_t n = 1;
    buffer_init(&bytes);
    while (n > 0 && buffer_reserve(&bytes, 64 * 1024)) {
        n = read(fd, bytes.data + bytes.len, 64 * 1024);
        bytes.len += n > 0 ? (size_t)n : 0;
    }
    r->ref.len = (uint32_t)bytes.len;
    r->frame = bytes.data; /* taken over */
    return n == 0 && !bytes.failed && bytes.len > 0;
}

void retry_take(struct retry *r, const struct ipc_message *m, int fd)
{
    r->number = m->id;
    r->ref = (struct frame_ref){.kind = (uint8_t)m->value};
    snprintf(r->entry, sizeof r->entry, "%.60s", m->text);
    if (fd < 0 || !read_file(r, fd))
        retry_end(r, false, "the worker could not read the frame");
    if (fd >= 0)
        close(fd);
}

bool retry_prepare(struct retry *r, const struct batch_format *f, struct event_encoder *encoder, struct event *event,
                   const char *dead_letters_key)
{
    struct error why;
    r->in_flight = batch_retry(&r->batch, f, encoder, &r->ref, r->frame, event, dead_letters_key, r->entry, &why);
    if (!r->in_flight)
        retry_end(r, false, why.text);
    return r->in_flight;
}

void retry_end(struct retry *r, bool ok, const char *why)
{
    r->answer = (struct ipc_message){.type = IPC_RETRIED, .id = r->number, .value = ok};
    snprintf(r->answer.text, sizeof r->answer.text, "%.*s", (int)sizeof r->answer.text - 1, why);
    r->has_answer = true;
    r->in_flight = false;
    free(r->frame);
    r->frame = NULL;
}

void retry_send_answer(struct retry *r, const struct channel *channel)
{
    if (!r->has_answer || channel_send(channel, &r->answer, -1) == IPC_AGAIN)
        return;
    r->has_answer = false;
    r->number = 0;
}
