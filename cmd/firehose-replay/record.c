/* record.c: writes the raw frames of a relay to a capture, until there are enough of them.
 *
 * It writes frames as they come, well formed or not. After a reconnect, a relay that reads a cursor N as seq >= N sends
 * the last frame again; that frame is skipped. */
#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "atproto/frame.h"
#include "base/clock.h"
#include "base/optional.h"
#include "capture.h"
#include "options.h"
#include "record_link.h"

enum { BACKOFF_MIN_MS = 1000, BACKOFF_MAX_MS = 30000, HEALTHY_MS = 60000, TICK_MS = 1000 };

struct record_options {
    const char *url_text, *path, *ca_file;
    struct url url;
    uint64_t count;   /* 0: no limit */
    uint64_t seconds; /* 0: no limit */
    struct optional cursor;
    bool may_replace;
};

struct recorder {
    const struct record_options *options;
    struct capture_writer capture;
    struct event_base *base;
    struct evdns_base *dns;
    struct tls_context *tls;
    struct record_link *link; /* NULL between two connections */
    struct event *tick, *retry, *sigint, *sigterm;
    bool has_been_open;
    bool may_repeat; /* the relay may send the last frame again */
    struct optional asked; /* the cursor of this connection, until its first seq has come */
    struct optional last_seq;
    int64_t started_ms, opened_ms;
    int64_t backoff_ms;
    bool failed; /* `why` has the reason */
    struct error why;
};

static void stop(struct recorder *r) { event_base_loopbreak(r->base); }

static void fail(struct recorder *r, const struct error *why)
{
    r->failed = true;
    r->why = *why;
    stop(r);
}

/* ---- frames ---- */

static bool is_repeated(struct recorder *r, const struct frame_peek *peek)
{
    return r->may_repeat && peek->has_seq && optional_is(r->last_seq, peek->seq);
}

static bool refuse(struct recorder *r, const struct error *why)
{
    fail(r, why);
    return false;
}

/* Writes a frame. The file is opened for the first one, so that a failure before it costs no earlier capture. */
static bool write_frame(struct recorder *r, const uint8_t *frame, size_t len, struct error *why)
{
    if (r->capture.file == NULL && !capture_create(&r->capture, r->options->path, r->options->may_replace, why))
        return false;
    return capture_write(&r->capture, frame, len, why);
}

/* A relay answers a cursor from the future with live events, whose numbers are below it. */
static void check_cursor(struct recorder *r, int64_t seq)
{
    if (r->asked.is_known && seq < r->asked.value)
        say(&record_command,
            "the relay ignores the cursor %" PRId64 ", it is in the future: the first event has seq %" PRId64,
            r->asked.value, seq);
    r->asked = optional_none();
}

/* An error is the end of a recording that has not begun. Later it is told, and recorded as any other frame. */
static bool take_error(struct recorder *r, const struct frame_peek *peek)
{
    struct error why;
    error_set(&why, "the relay says %.*s: %.*s", (int)peek->name.len, (const char *)peek->name.ptr,
              (int)peek->message.len, (const char *)peek->message.ptr);
    if (r->capture.frames == 0)
        return refuse(r, &why);
    say(&record_command, "%s", why.text);
    return true;
}

static bool on_message(void *arg, const uint8_t *frame, size_t len)
{
    struct recorder *r = arg;
    struct frame_peek peek = {0};
    struct violation unused;
    struct error why;
    bool readable = frame_peek(frame, len, &peek, &unused);
    if (readable && is_repeated(r, &peek))
        return true;
    if (readable && peek.kind == FRAME_ERROR && !take_error(r, &peek))
        return false;
    if (readable && peek.has_seq)
        check_cursor(r, peek.seq);
    if (!write_frame(r, frame, len, &why))
        return refuse(r, &why);
    if (readable && peek.has_seq) {
        r->last_seq = optional_of(peek.seq);
        r->may_repeat = false;
    }
    if (r->options->count > 0 && r->capture.frames >= r->options->count) {
        stop(r);
        return false;
    }
    return true;
}

/* ---- progress ---- */

static void show_progress(const struct recorder *r)
{
    if (!isatty(STDERR_FILENO))
        return;
    double seconds = (double)(clock_monotonic_ms() - r->started_ms) / 1000;
    fprintf(stderr, "\r%" PRIu64 " frames, %.1f MB, %.0f/s, seq %" PRId64 "\033[K", r->capture.frames,
            (double)r->capture.bytes / 1e6, (double)r->capture.frames / (seconds > 0 ? seconds : 1),
            r->last_seq.value);
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* ---- the connection ---- */

/* Returns the cursor at which the recording begins or continues. */
static struct optional cursor_of(const struct recorder *r)
{
    return r->last_seq.is_known ? r->last_seq : r->options->cursor;
}

/* Writes the URL's path and query, with the cursor. */
static void make_path(const struct recorder *r, char *out, size_t out_bytes)
{
    const char *path = r->options->url.path;
    bool is_bare = strcmp(path, "/") == 0;
    char separator = strchr(path, '?') != NULL ? '&' : '?';
    if (is_bare)
        path = FRAME_SUBSCRIBE_PATH;
    struct optional cursor = cursor_of(r);
    if (cursor.is_known)
        snprintf(out, out_bytes, "%s%ccursor=%" PRId64, path, separator, cursor.value);
    else
        snprintf(out, out_bytes, "%s", path);
}

static void on_open(void *arg)
{
    struct recorder *r = arg;
    r->has_been_open = true;
    r->may_repeat = r->last_seq.is_known;
    r->asked = cursor_of(r);
    r->opened_ms = clock_monotonic_ms();
}

/* Half of the delay is fixed and half is random, so that not all clients come back to a restarted relay at once. */
static int64_t with_jitter(int64_t ms)
{
    uint32_t chance = 0;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
        chance = UINT32_MAX / 2;
    return ms / 2 + (int64_t)((uint64_t)ms / 2 * chance >> 32);
}

static void on_down(void *arg, const struct error *why)
{
    struct recorder *r = arg;
    record_link_free(r->link);
    r->link = NULL;
    /* A failure at the start more likely means a wrong URL than a relay that is down. */
    if (!r->has_been_open) {
        fail(r, why);
        return;
    }
    if (r->opened_ms > 0 && clock_monotonic_ms() - r->opened_ms >= HEALTHY_MS)
        r->backoff_ms = BACKOFF_MIN_MS;
    r->opened_ms = 0;
    int64_t delay_ms = with_jitter(r->backoff_ms);
    r->backoff_ms = r->backoff_ms * 2 < BACKOFF_MAX_MS ? r->backoff_ms * 2 : BACKOFF_MAX_MS;
    end_progress();
    say(&record_command, "%s; connecting again in %.1f s, at seq %" PRId64, why->text, (double)delay_ms / 1000,
        r->last_seq.value);
    struct timeval delay = clock_timeval(delay_ms);
    evtimer_add(r->retry, &delay);
}

static void start_link(struct recorder *r)
{
    struct record_link_user user = {.arg = r, .on_open = on_open, .on_message = on_message, .on_down = on_down};
    char path[RECORD_PATH_BYTES];
    make_path(r, path, sizeof path);
    r->link = record_link_new(r->base, r->dns, r->tls, &r->options->url, path, &user);
    if (r->link == NULL) {
        error_set(&r->why, "out of memory");
        r->failed = true;
        stop(r);
    }
}

/* ---- events ---- */

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    start_link(arg);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct recorder *r = arg;
    (void)fd;
    (void)what;
    show_progress(r);
    uint64_t seconds = r->options->seconds;
    if (seconds > 0 && (uint64_t)(clock_monotonic_ms() - r->started_ms) >= seconds * 1000)
        stop(r);
    else if (r->link != NULL)
        record_link_tick(r->link);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stop(arg);
}

/* ---- beginning and end ---- */

static bool make_events(struct recorder *r)
{
    struct timeval second = clock_timeval(TICK_MS);
    r->base = event_base_new();
    if (r->base == NULL)
        return false;
    r->dns = evdns_base_new(r->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
    r->retry = evtimer_new(r->base, on_retry, r);
    r->sigint = evsignal_new(r->base, SIGINT, on_signal, r);
    r->sigterm = evsignal_new(r->base, SIGTERM, on_signal, r);
    return r->tick != NULL && r->retry != NULL && r->sigint != NULL && r->sigterm != NULL &&
           event_add(r->tick, &second) == 0 && event_add(r->sigint, NULL) == 0 && event_add(r->sigterm, NULL) == 0;
}

static bool recorder_init(struct recorder *r, const struct record_options *o)
{
    *r = (struct recorder){.options = o, .backoff_ms = BACKOFF_MIN_MS, .started_ms = clock_monotonic_ms()};
    if (url_is_tls(&o->url) && (r->tls = tls_client_new(o->ca_file, &r->why)) == NULL)
        return false;
    if (!make_events(r)) {
        error_set(&r->why, "cannot make an event loop");
        return false;
    }
    return capture_may_create(o->path, o->may_replace, &r->why);
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void recorder_fini(struct recorder *r)
{
    record_link_free(r->link);
    free_event(r->tick);
    free_event(r->retry);
    free_event(r->sigint);
    free_event(r->sigterm);
    if (r->dns != NULL)
        evdns_base_free(r->dns, 0);
    if (r->base != NULL)
        event_base_free(r->base);
    tls_free(r->tls);
}

static void parse(int argc, char **argv, struct record_options *o)
{
    static const struct option longs[] = {
        {"count", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 's'},
        {"cursor", required_argument, NULL, 'c'},
        {"ca-file", required_argument, NULL, 'a'},
        {"force", no_argument, NULL, 'F'},
        OPTION_HELP,
        OPTION_END,
    };
    const struct command *me = &record_command;
    struct error why;
    *o = (struct record_options){0};
    for (int c; (c = option_next(me, argc, argv, longs)) != -1;) {
        if (c == 'n')
            o->count = option_number(me, "--count", optarg, 1, INT64_MAX);
        else if (c == 's')
            o->seconds = option_number(me, "--seconds", optarg, 1, UINT32_MAX);
        else if (c == 'a')
            o->ca_file = optarg;
        else if (c == 'F')
            o->may_replace = true;
        else
            o->cursor = optional_of((int64_t)option_number(me, "--cursor", optarg, 0, INT64_MAX));
    }
    if (argc - optind != 2)
        usage_error(me, "expected a URL and a FILE");
    o->url_text = argv[optind];
    o->path = argv[optind + 1];
    if (!url_parse(o->url_text, &o->url, &why))
        usage_error(me, "%s: %s", o->url_text, why.text);
    if (o->url.scheme != URL_WS && o->url.scheme != URL_WSS)
        usage_error(me, "%s: expected ws:// or wss://", o->url_text);
}

static int run(int argc, char **argv)
{
    struct record_options o;
    struct recorder r;
    struct error why;
    signal(SIGPIPE, SIG_IGN);
    parse(argc, argv, &o);
    if (recorder_init(&r, &o)) {
        start_link(&r);
        event_base_dispatch(r.base);
        end_progress();
    } else {
        r.failed = true;
    }
    if (!r.failed && r.capture.frames == 0) {
        r.failed = true;
        error_set(&r.why, "no frame came: %s is not written", o.path);
    }
    if (!capture_finish(&r.capture, &why)) {
        r.failed = true;
        r.why = why;
    }
    recorder_fini(&r);
    if (r.failed)
        say(&record_command, "%s", r.why.text);
    if (r.capture.frames > 0)
        say(&record_command, "%" PRIu64 " frames, %" PRIu64 " bytes, last seq %" PRId64, r.capture.frames,
            r.capture.bytes, r.last_seq.value);
    return r.failed ? EXIT_FAILED : EXIT_DONE;
}

const struct command record_command = {
    .name = "record",
    .summary = "record the raw frames of a real relay",
    .usage = "record URL FILE [OPTION]…",
    .help = "  --count N      stop after N frames\n"
            "  --seconds S    stop after S seconds\n"
            "  --cursor N     begin after this sequence number (with live events)\n"
            "  --ca-file F    trust the authorities in F, not the system's\n"
            "  --force        replace FILE if it is there\n"
            "URL: ws://… or wss://…; without a path it gets /xrpc/com.atproto.sync.subscribeRepos.\n"
            "SIGINT and SIGTERM end the recording in order. If the connection ends, it reconnects at the last seq.\n",
    .run = run,
};
