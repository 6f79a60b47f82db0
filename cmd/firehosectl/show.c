#include "config.h"

#include "show.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *with_note(const char *note) { return note[0] != '\0' ? ": " : ""; }

static void show_worker(const json_t *w)
{
    printf("  %3lld  %7lld  %-10s %12lld %8lld %9lld %8lld  %s\n", number(w, "index"), number(w, "pid"), text(w, "state"),
           number(w, "written"), number(w, "queued"), number(w, "batch_events"), number(w, "restarts"),
           text(w, "note"));
}

void show_status(const json_t *s)
{
    const json_t *relay = json_object_get(s, "relay"), *redis = json_object_get(s, "redis");
    const json_t *ring = json_object_get(s, "ring"), *workers = json_object_get(s, "workers"), *worker;
    const char *cursor = text(s, "cursor");
    size_t i;
    json_int_t size = number(ring, "size_bytes"), used = number(ring, "used_bytes");

    printf("firehosed %s, process %lld, %s, up %.0f s\n", text(s, "version"), number(s, "pid"), text(s, "state"),
           json_number_value(json_object_get(s, "uptime_s")));
    printf("relay    %s: %s%s%s%s\n", text(relay, "url"), text(relay, "state"),
           json_is_true(json_object_get(relay, "paused")) ? " (waiting: the ring is full)" : "",
           with_note(text(relay, "note")), text(relay, "note"));
    printf("redis    %s%s%s\n", text(redis, "state"), with_note(text(redis, "note")), text(redis, "note"));
    printf("cursor   %s\n", cursor[0] != '\0' ? cursor : "none yet");
    printf("ring     %.1f of %.1f MB (%lld %%), %lld frames\n", (double)used / 1e6, (double)size / 1e6,
           size > 0 ? used * 100 / size : 0, number(ring, "records"));
    printf("events   %lld received = %lld written + %lld filtered + %lld quarantined + %lld duplicate + %lld in flight\n",
           number(s, "received"), number(s, "written"), number(s, "filtered"), number(s, "quarantined"),
           number(s, "duplicate"), number(s, "in_flight"));
    printf("workers\n    #      pid  state           written   queued  in batch restarts  note\n");
    json_array_foreach(workers, i, worker) show_worker(worker);
}
