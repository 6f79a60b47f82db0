/* show_status.c: prints status and workers. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/human.h"
#include "show.h"

enum { ERRORS_SHOWN = 5 };

static const char *with_note(const char *note) { return note[0] != '\0' ? ": " : ""; }

static void print_state(const char *state, int width)
{
    printf("%s%-*s%s", colour_on(state_colour(state)), width, state, colour_off());
}

static void print_number(const char *name, json_int_t n) { printf("  %-12s %15lld\n", name, n); }

static void show_worker(const json_t *w)
{
    printf("%3lld %8lld  ", member_number(w, "index"), member_number(w, "pid"));
    print_state(member_text(w, "state"), 10);
    printf(" %12lld %7lld %6lld %8.1f %8lld\n", member_number(w, "written"), member_number(w, "queued"),
           member_number(w, "batch_events"), (double)member_number(w, "round_trip_us") / 1000,
           member_number(w, "restarts"));
    if (member_text(w, "note")[0] != '\0')
        printf("              %s%s%s\n", colour_on(WARNING), member_text(w, "note"), colour_off());
}

void show_workers(const json_t *answer)
{
    const json_t *worker;
    size_t i;
    puts("  #      pid  state           written  queued  batch  Redis/ms restarts");
    json_array_foreach(json_object_get(answer, "workers"), i, worker) show_worker(worker);
}

static void show_relay(const json_t *relay)
{
    printf("relay    %s: ", member_text(relay, "url"));
    print_state(member_text(relay, "state"), 0);
    printf("%s%s%s\n", member_flag(relay, "paused") ? " (waiting: the ring is full)" : "",
           with_note(member_text(relay, "note")), member_text(relay, "note"));
}

static void show_errors(const json_t *errors)
{
    const json_t *e;
    size_t i;
    if (json_array_size(errors) == 0)
        return;
    puts("newest warnings and errors");
    json_array_foreach(errors, i, e)
    {
        if (i == ERRORS_SHOWN)
            break;
        printf("  %.19s %s%-5s%s %s: %s\n", member_text(e, "time"),
               colour_on(strcmp(member_text(e, "level"), "error") == 0 ? BAD : WARNING), member_text(e, "level"),
               colour_off(), member_text(e, "process"), member_text(e, "text"));
    }
}

static void show_lag(const json_t *lag, const json_t *eta)
{
    char text[HUMAN_BYTES];
    double seconds = json_number_value(lag);
    if (!json_is_number(lag)) {
        puts("lag      unknown");
        return;
    }
    printf("lag      %s%s%s", colour_on(lag_colour(seconds)), human_lag(seconds, text), colour_off());
    if (json_is_number(eta))
        printf(", caught up in about %s", human_duration(json_number_value(eta), text));
    puts(seconds < 5 ? ", live" : json_is_number(eta) ? "" : ", time to catch up unknown");
}

static void print_length(const json_t *length, const char *what)
{
    char text[HUMAN_BYTES] = "?";
    if (json_is_integer(length))
        human_count((uint64_t)json_integer_value(length), text);
    printf("%s %s", text, what);
}

/* What one asks first. */
static void show_figures(const json_t *s)
{
    const json_t *rates = json_object_get(s, "rates"), *redis = json_object_get(s, "redis");
    char events[HUMAN_BYTES], bytes[HUMAN_BYTES];
    show_lag(json_object_get(s, "lag_s"), json_object_get(s, "eta_s"));
    printf("rate     %s events/s, %s/s\n",
           human_count((uint64_t)(member_real(rates, "events_per_s_10s") + 0.5), events),
           human_bytes(member_real(rates, "bytes_per_s"), bytes));
    printf("stream   ");
    print_length(json_object_get(redis, "stream_length"), "entries, ");
    fputs(member_number(redis, "dead_letters_length") > 0 ? colour_on(WARNING) : "", stdout);
    print_length(json_object_get(redis, "dead_letters_length"), "dead letters");
    puts(member_number(redis, "dead_letters_length") > 0 ? colour_off() : "");
}

void show_status(const json_t *s)
{
    const json_t *redis = json_object_get(s, "redis"), *ring = json_object_get(s, "ring");
    const char *cursor = member_text(s, "cursor");
    json_int_t size = member_number(ring, "size_bytes"), used = member_number(ring, "used_bytes");
    char up[HUMAN_BYTES];

    show_figures(s);
    printf("state    ");
    print_state(member_text(s, "state"), 0);
    printf(", firehosed %s, process %lld, up %s\n", member_text(s, "version"), member_number(s, "pid"),
           human_duration(member_real(s, "uptime_s"), up));
    show_relay(json_object_get(s, "relay"));
    printf("redis    ");
    print_state(member_text(redis, "state"), 0);
    printf("%s%s\n", with_note(member_text(redis, "note")), member_text(redis, "note"));
    printf("cursor   %s\n", cursor[0] != '\0' ? cursor : "none yet");
    printf("ring     %.1f of %.1f MB (%lld %%), %lld frames\n", (double)used / 1e6, (double)size / 1e6,
           size > 0 ? used * 100 / size : 0, member_number(ring, "records"));
    puts("events");
    print_number("received", member_number(s, "received"));
    print_number("= written", member_number(s, "written"));
    print_number("+ filtered", member_number(s, "filtered"));
    print_number("+ quarantined", member_number(s, "quarantined"));
    print_number("+ duplicate", member_number(s, "duplicate"));
    print_number("+ in flight", member_number(s, "in_flight"));
    show_workers(s);
    show_errors(json_object_get(s, "recent_errors"));
}

void show_health(const json_t *health)
{
    const json_t *reason;
    size_t i;
    puts(member_text(health, "status"));
    json_array_foreach(json_object_get(health, "reasons"), i, reason) printf("  %s\n", json_string_value(reason));
    json_array_foreach(json_object_get(health, "notes"), i, reason) printf("  note: %s\n", json_string_value(reason));
}
