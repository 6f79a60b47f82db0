#include "config.h"

#include "taps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* A person who reads along cannot follow more than this; the rest is left out and counted. */
enum { EVENTS_PER_SECOND = 200 };

void taps_init(struct taps *t)
{
    *t = (struct taps){0};
    for (size_t i = 0; i < TAPS_MAX; i++)
        t->taps[i].fd = -1;
}

static void tap_close(struct taps *t, struct tap *tap)
{
    if (tap->fd < 0)
        return;
    close(tap->fd);
    collections_free(tap->wanted);
    *tap = (struct tap){.fd = -1};
    t->count--;
}

void taps_set(struct taps *t, const struct ipc_message *m, int fd)
{
    struct error ignored;
    if (m->value >= TAPS_MAX) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct tap *tap = &t->taps[m->value];
    tap_close(t, tap);
    if (fd < 0)
        return;
    const char *end = strchr(m->text, '\n'), *collections = end != NULL ? end + 1 : "";
    *tap = (struct tap){.fd = fd};
    snprintf(tap->did, sizeof tap->did, "%.*s", (int)(end != NULL ? end - m->text : 0), m->text);
    tap->wanted = collections[0] != '\0' ? collections_new(collections, &ignored) : NULL;
    t->count++;
    if (collections[0] != '\0' && tap->wanted == NULL) /* memory is short: no events are better than unwanted ones */
        tap_close(t, tap);
}

static bool is_wanted(const struct tap *tap, const struct frame *frame)
{
    if (tap->did[0] != '\0' &&
        (strlen(tap->did) != frame->did.len || memcmp(tap->did, frame->did.ptr, frame->did.len) != 0))
        return false;
    if (tap->wanted == NULL)
        return true;
    for (size_t i = 0; i < frame->op_count; i++)
        if (collections_match(tap->wanted, frame->ops[i].path.ptr, frame->ops[i].path.len))
            return true;
    return false;
}

static int64_t this_second(void) { return clock_monotonic_ms() / 1000; }

static bool may_send(struct tap *tap, size_t len)
{
    int64_t second = this_second();
    if (second != tap->second) {
        tap->second = second;
        tap->sent = 0;
    }
    return tap->sent < EVENTS_PER_SECOND && len <= TAP_EVENT_MAX_BYTES;
}

/* Returns false if there is no room for the message now. */
static bool send_message(struct taps *t, struct tap *tap, struct tap_head head, const uint8_t *json, size_t len)
{
    struct iovec parts[] = {{&head, sizeof head}, {(void *)(uintptr_t)json, len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = len > 0 ? 2 : 1};
    head.left_out = tap->left_out;
    if (sendmsg(tap->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        tap->left_out = 0;
    else if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE || errno == EINTR)
        return false;
    else
        tap_close(t, tap); /* nobody watches any more */
    return true;
}

static void offer(struct taps *t, struct tap *tap, const struct frame *frame, const uint8_t *json, size_t len)
{
    const struct tap_head head = {.seq = frame->seq, .kind = (uint16_t)frame->kind};
    if (may_send(tap, len) && send_message(t, tap, head, json, len))
        tap->sent++;
    else
        tap->left_out++;
}

void taps_tell_left_out(struct taps *t)
{
    for (size_t i = 0; i < TAPS_MAX; i++)
        if (t->taps[i].left_out > 0 && t->taps[i].second != this_second())
            send_message(t, &t->taps[i], (struct tap_head){0}, NULL, 0); /* if there is no room, in the next turn */
}

void taps_see(struct taps *t, const struct frame *frame, const uint8_t *json, size_t len)
{
    for (size_t i = 0; i < TAPS_MAX; i++)
        if (t->taps[i].fd >= 0 && is_wanted(&t->taps[i], frame))
            offer(t, &t->taps[i], frame, json, len);
}
