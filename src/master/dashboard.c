#include "config.h"

#include "master/dashboard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/text.h"

enum { RECENT_EVENTS = 50, TTL_S = 10, STATUS_EVERY = 5 };

struct dashboard {
    const struct config *config;
    struct store *store;
    struct buffer recent[RECENT_EVENTS]; /* ring of JSON objects; the limits of path and DID bound each */
    size_t next, count;
    bool changed;
    unsigned ticks;
    int64_t second; /* for the rate */
    int64_t shown;  /* in this second */
};

struct dashboard *dashboard_new(const struct config *config, struct store *store)
{
    struct dashboard *d = calloc(1, sizeof *d);
    if (d != NULL)
        *d = (struct dashboard){.config = config, .store = store};
    return d;
}

void dashboard_free(struct dashboard *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < RECENT_EVENTS; i++)
        buffer_fini(&d->recent[i]);
    free(d);
}

static void append_text(struct buffer *b, const char *name, const void *text, size_t len)
{
    char clean[FRAME_MAX_DID + 1];
    buffer_append_format(b, "\"%s\":", name);
    json_append_string(b, clean, text_copy(clean, sizeof clean, text, len));
    buffer_append_byte(b, ',');
}

static void write_event(struct buffer *b, const struct frame_peek *peek, int64_t now_us)
{
    const uint8_t *slash = memchr(peek->path.ptr, '/', peek->path.len);
    size_t collection = slash != NULL ? (size_t)(slash - peek->path.ptr) : peek->path.len;
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    char clock[16];
    strftime(clock, sizeof clock, "%H:%M:%S", gmtime_r(&seconds, &utc));
    buffer_clear(b);
    buffer_append_literal(b, "{\"type\":\"#commit\",");
    append_text(b, "lexicon", peek->path.ptr, collection);
    append_text(b, "did", peek->did.ptr, peek->did.len);
    append_text(b, "action", peek->action.ptr, peek->action.len);
    buffer_append_format(b, "\"timestamp\":\"%s\"}", clock);
}

void dashboard_see(struct dashboard *d, const struct frame_peek *peek)
{
    if (peek->kind != FRAME_COMMIT || peek->path.len == 0 || peek->did.len == 0 || peek->action.ptr == NULL)
        return;
    int64_t now_us = clock_unix_us(), second = now_us / 1000000;
    if (second != d->second) {
        d->second = second;
        d->shown = 0;
    }
    if (d->shown >= d->config->broadcast_rate)
        return;
    d->shown++;
    struct buffer *b = &d->recent[d->next];
    write_event(b, peek, now_us);
    if (b->failed)
        return;
    d->next = (d->next + 1) % RECENT_EVENTS;
    d->count += d->count < RECENT_EVENTS;
    d->changed = true;
    store_publish(d->store, d->config->broadcast_channel, (char *)b->data, b->len);
}

static void write_recent(struct dashboard *d)
{
    struct buffer list;
    buffer_init(&list);
    buffer_append_byte(&list, '[');
    for (size_t i = 1; i <= d->count; i++) { /* newest first */
        const struct buffer *event = &d->recent[(d->next + RECENT_EVENTS - i) % RECENT_EVENTS];
        if (i > 1)
            buffer_append_byte(&list, ',');
        buffer_append(&list, event->data, event->len);
    }
    buffer_append_byte(&list, ']');
    if (!list.failed)
        store_set(d->store, d->config->recent_events_key, (char *)list.data, list.len, TTL_S);
    buffer_fini(&list);
}

static void write_status(struct dashboard *d, bool is_connected, const char *url, int64_t cursor)
{
    struct buffer status;
    buffer_init(&status);
    buffer_append_format(&status, "{\"connected\":%s,", is_connected ? "true" : "false");
    append_text(&status, "url", url, strlen(url));
    if (cursor >= 0)
        buffer_append_format(&status, "\"currentCursor\":\"%" PRId64 "\"}", cursor);
    else
        buffer_append_literal(&status, "\"currentCursor\":null}");
    buffer_append_byte(&status, STORE_STATUS_END);
    if (!status.failed)
        store_set(d->store, d->config->status_key, (char *)status.data, status.len, TTL_S);
    buffer_fini(&status);
}

void dashboard_tick(struct dashboard *d, const struct snapshot *s)
{
    if (!store_is_ready(d->store))
        return;
    if (d->changed)
        write_recent(d);
    d->changed = false;
    if (d->ticks++ % STATUS_EVERY == 0)
        write_status(d, s->relay_is_up, s->relay_url, s->cursor);
}

void dashboard_end(struct dashboard *d, const char *url, struct optional cursor)
{
    write_status(d, false, url, cursor.is_known ? cursor.value : -1);
}
