#include "config.h"

#include "base/config.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Python's words are synonyms, as LOG_LEVEL is the variable of a Python service. */
static const char *const level_choices[] = {"debug", "info", "warn|warning", "error|critical|fatal", NULL};
static const char *const format_choices[] = {"compat", "extended", NULL};
static const char *const sequence_choices[] = {"follow", "stop", NULL};
static const char *const full_choices[] = {"trim", "wait", NULL};
static const char *const foreign_choices[] = {"wait", "ignore", NULL};
static const char *const log_format_choices[] = {"text", "json", NULL};
static const char *const start_choices[] = {"live", "oldest", "stream", NULL};
static const char *const sandbox_choices[] = {"strict", "log", "off", NULL};

#define KB (INT64_C(1) << 10)
#define MB (INT64_C(1) << 20)
#define GB (INT64_C(1) << 30)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define RELOAD true
#define RESTART false

#define TEXT(key, fallback, min, max, reload, alias, help) \
    {#key, SETTING_TEXT, offsetof(struct config, key), fallback, min, max, NULL, reload, alias, help}
#define VALUE(key, type, fallback, min, max, reload, alias, help) \
    {#key, type, offsetof(struct config, key), fallback, min, max, NULL, reload, alias, help}
#define CHOICE(key, fallback, choices, reload, alias, help) \
    {#key, SETTING_CHOICE, offsetof(struct config, key), fallback, 0, 0, choices, reload, alias, help}

/* One row a key. The sample file and the manual list the keys in this order. */
const struct setting config_table[] = {
    TEXT(relay, "wss://bsky.network", 1, 4000, RELOAD, "RELAY_URL",
         "The relay to read: ws:// or wss://. A URL without a path gets that of com.atproto.sync.subscribeRepos. In a "
         "list, separated by commas, the first relay is preferred, and the others stand in for it."),
    VALUE(relay_attempts, SETTING_NUMBER, "5", 1, 1000, RELOAD, NULL,
          "firehosed changes to the next relay of the list after this many failures of one relay in a row."),
    VALUE(relay_failback, SETTING_DURATION, "10m", 0, 24 * HOUR, RELOAD, NULL,
          "firehosed tries the first relay of the list again after this long with another one; 0: never."),
    VALUE(relay_memory, SETTING_NUMBER, "2000000", 1000, INT64_C(100000000), RESTART, NULL,
          "How many commits the deduplication remembers, at 16 bytes each, to recognise those that another relay sends "
          "again. It is in use only with several relays."),
    TEXT(relay_ca_file, "", 0, 1023, RELOAD, NULL,
         "PEM file of the only authorities that firehosed trusts for the relay; empty: those of the system."),
    VALUE(relay_connect_timeout, SETTING_DURATION, "15s", 100, 10 * MINUTE, RELOAD, NULL,
          "The longest time that resolving, connecting, TLS and the WebSocket upgrade may take together."),
    VALUE(relay_ping_interval, SETTING_DURATION, "30s", 100, HOUR, RELOAD, NULL,
          "firehosed sends a ping after the relay has sent nothing for this long."),
    VALUE(relay_idle_timeout, SETTING_DURATION, "45s", 200, HOUR, RELOAD, NULL,
          "firehosed closes a connection that brings no byte for this long. It must be more than relay_ping_interval."),
    VALUE(relay_backoff, SETTING_DURATION, "1s", 10, HOUR, RELOAD, NULL,
          "The pause before a new attempt to connect. Each failure doubles it; chance varies it by a quarter."),
    VALUE(relay_backoff_max, SETTING_DURATION, "30s", 10, HOUR, RELOAD, NULL,
          "The longest pause between attempts. A connection that lasts a minute sets it back to relay_backoff."),
    VALUE(relay_max_message, SETTING_BYTES, "5000000", 64 * KB, 64 * MB, RESTART, NULL,
          "A longer WebSocket message is a protocol error. The protocol's own limit is 5,000,000 bytes."),
    CHOICE(
        start, "stream", start_choices, RELOAD, NULL,
        "Where to begin without a saved cursor. stream: behind the newest event that another service has left in the "
        "stream, or, if there is none, live; live: at the next event; oldest: at the relay's oldest event."),

    CHOICE(foreign_writer, "wait", foreign_choices, RELOAD, NULL,
           "What to do at the first start, before firehosed has marks of its own, if another service keeps status_key "
           "fresh and so still writes. wait: write nothing until the key has expired; ignore: begin beside it."),
    CHOICE(on_sequence_reset, "follow", sequence_choices, RELOAD, NULL,
           "What to do when the relay's sequence is another one, because it was rebuilt or is another relay. follow: "
           "read it from its beginning; stop: exit with code 79, so that an operator can look first."),

    TEXT(redis, "redis://127.0.0.1:6379", 1, 1023, RELOAD, "REDIS_URL",
         "The Redis or Valkey to write to: redis://[user:password@]host[:port][/db], rediss:// for TLS, or "
         "unix:///path?db=n."),
    TEXT(redis_ca_file, "", 0, 1023, RELOAD, NULL,
         "PEM file of the only authorities that firehosed trusts for rediss://; empty: those of the system."),
    VALUE(redis_connect_timeout, SETTING_DURATION, "5s", 100, 10 * MINUTE, RELOAD, NULL,
          "The longest time that resolving and connecting to Redis may take."),
    VALUE(redis_reply_timeout, SETTING_DURATION, "30s", SECOND, HOUR, RELOAD, NULL,
          "firehosed closes a connection to Redis that has owed a reply for this long, and connects again."),
    VALUE(redis_rewrite_aof, SETTING_FLAG, "yes", 0, 0, RELOAD, NULL,
          "After each start of a Redis with an append-only log (appendonly yes), firehosed has the log rewritten "
          "(BGREWRITEAOF) before it writes anything. Otherwise a log that was cut inside a transaction would double "
          "events at the start after that."),
    TEXT(stream_key, "firehose:events", 1, 255, RELOAD, "REDIS_STREAM_KEY", "The stream of the events."),
    VALUE(stream_max_len, SETTING_NUMBER, "500000", 0, INT64_C(1000000000000), RELOAD, "REDIS_MAX_STREAM_LEN",
          "The approximate number of entries that the stream keeps (MAXLEN ~); 0: all."),
    CHOICE(
        stream_full, "trim", full_choices, RELOAD, NULL,
        "What to do when Redis has no room (maxmemory), and the stream or the dead letters have most of it. trim: trim "
        "their oldest entries, read or not, unless their maximum length is 0; wait: write nothing until there is "
        "room."),
    TEXT(dead_letters_key, "firehose:undecodable", 1, 255, RELOAD, NULL,
         "The stream that firehosed adds undecodable frames to, with the reason and the raw bytes. It must not hold "
         "entries of other programs. firehose:dead-letters is the application's."),
    VALUE(dead_letters_max_len, SETTING_NUMBER, "1000", 0, INT64_C(1000000000000), RELOAD, NULL,
          "The approximate number of dead letters that Redis keeps; 0: all."),
    TEXT(cursor_key, "firehose:python_cursor", 1, 255, RELOAD, "REDIS_CURSOR_KEY",
         "The key of the saved cursor, a decimal string. The default is the name that the replaced service uses."),
    VALUE(cursor_interval, SETTING_DURATION, "2s", 50, HOUR, RELOAD, NULL, "How often firehosed saves the cursor."),
    TEXT(progress_key, "firehose:progress", 1, 255, RESTART, NULL,
         "The hash of the marks, the last seq written for each partition. It makes every event arrive exactly once."),
    TEXT(owner_key, "firehose:owner", 1, 255, RESTART, NULL,
         "The first part of the names of the keys that say who may write. A second firehosed with the same keys takes "
         "over. Two instances on one Redis need their own names for all keys."),

    CHOICE(event_format, "compat", format_choices, RELOAD, NULL,
           "compat: exactly what the consumers of the older services read; extended: more fields, and #sync."),
    VALUE(emit_sync, SETTING_FLAG, "no", 0, 0, RELOAD, NULL,
          "firehosed writes #sync events (type sync) in the compatible format too."),
    TEXT(kinds, "", 0, 100, RELOAD, NULL,
         "The kinds of events to write, out of commit, sync, identity, account; empty: all that the format has."),
    TEXT(collections, "", 0, 4000, RELOAD, NULL,
         "The collections to write, separated by commas: app.bsky.feed.post, app.bsky.feed.* or *; empty: all. "
         "firehosed leaves other operations out, and does not write a commit without any operation left."),
    TEXT(exclude_collections, "", 0, 4000, RELOAD, NULL,
         "The collections that firehosed does not write, out of those that `collections` lets through."),
    TEXT(dids_file, "", 0, 1023, RELOAD, NULL,
         "A file of DIDs, one a line: firehosed writes only these repos' events; empty: all. SIGHUP reads it again."),
    TEXT(status_key, "firehose:status", 1, 255, RELOAD, NULL,
         "The key that tells dashboards whether the relay is connected (JSON, expires after 10 s)."),
    TEXT(recent_events_key, "firehose:recent_events", 1, 255, RELOAD, NULL,
         "The key with the newest 50 events, for dashboards (JSON, expires after 10 s)."),
    TEXT(broadcast_channel, "firehose:events:broadcast", 1, 255, RELOAD, NULL,
         "The channel that firehosed publishes a sample of the events on."),
    VALUE(broadcast_rate, SETTING_NUMBER, "20", 0, 1000, RELOAD, NULL,
          "The most events a second that go to broadcast_channel and recent_events_key; 0: none."),

    VALUE(workers, SETTING_AUTO, "auto", 1, WORKERS_MAX, RELOAD, NULL,
          "The number of worker processes; auto: the number of processors, at least 2."),
    VALUE(ring_size, SETTING_BYTES, "16M", 128 * KB, 4 * GB, RESTART, NULL,
          "The size of the ring, which holds frames until their commit. firehosed stops reading the relay when the "
          "ring is full. It must be at least twice relay_max_message."),
    VALUE(batch_events, SETTING_NUMBER, "512", 1, 10000, RELOAD, NULL, "The most events in one Redis transaction."),
    VALUE(event_max_size, SETTING_BYTES, "4M", 64 * KB, 64 * MB, RELOAD, NULL,
          "The largest JSON of an event. A larger event goes to the dead letters."),
    VALUE(event_max_growth, SETTING_NUMBER, "8", 2, 1000, RELOAD, NULL,
          "How many times as large as its frame an event's JSON may be, and 1 KB more. One that grows more goes to the "
          "dead "
          "letters: such a frame is made to fill Redis. JSON of real events is smaller than their frames."),
    VALUE(batch_size, SETTING_BYTES, "512K", 4 * KB, 64 * MB, RELOAD, NULL,
          "A worker adds no more events to a Redis transaction of at least this size."),

    CHOICE(log_level, "info", level_choices, RELOAD, "LOG_LEVEL",
           "The least important lines that firehosed logs. Python's words are accepted, too: warning; critical and "
           "fatal mean error."),
    CHOICE(log_format, "text", log_format_choices, RELOAD, NULL,
           "text: one line a message, for people; json: one object a line, for log collectors."),
    TEXT(log_file, "", 0, 1023, RELOAD, NULL,
         "Where firehosed logs: a file, which SIGUSR1 opens again; syslog, or syslog:PATH for a socket other than "
         "/dev/log; empty: stderr (with -f), else /var/log/firehosed/firehosed.log."),
    VALUE(
        report_events, SETTING_NUMBER, "50000", 1, INT64_C(1000000000), RELOAD, NULL,
        "firehosed logs a line about the rate each time it has processed this many events, but at most every 10 s and "
        "at least every minute."),
    VALUE(lag_warn, SETTING_DURATION, "60s", 0, 24 * HOUR, RELOAD, NULL,
          "firehosed logs a line every minute while events are older than this at their commit; 0: never."),
    TEXT(pid_file, "/run/firehosed/firehosed.pid", 0, 1023, RESTART, NULL,
         "The file with the master's process id and a lock; empty: none."),
    TEXT(control_socket, "/run/firehosed/control.sock", 0, 100, RESTART, NULL,
         "The socket that firehosectl talks to; empty: none."),
    TEXT(control_socket_group, "", 0, 255, RESTART, NULL,
         "The group whose members may use the control socket, beside the daemon's user; empty: the daemon's group."),
    TEXT(user, "", 0, 255, RESTART, NULL,
         "The user that firehosed becomes when files and sockets are open, if root starts it; empty: no change."),
    TEXT(group, "", 0, 255, RESTART, NULL, "The group that goes with user; empty: that user's own group."),
    CHOICE(sandbox, "strict", sandbox_choices, RESTART, NULL,
           "What a worker may ask of the kernel. strict: only what it needs; any other system call kills it, and "
           "firehosed does not start if the kernel cannot enforce this; log: the kernel logs the calls that strict "
           "would kill for; off: no limits."),
    TEXT(http_listen, "", 0, 100, RESTART, NULL,
         "Where /metrics, /healthz, /readyz and the status page are: a port (on 127.0.0.1), address:port, or *:port; "
         "empty: nowhere."),
    VALUE(worker_timeout, SETTING_DURATION, "30s", 100, HOUR, RELOAD, NULL,
          "The master kills and replaces a worker that shows no sign of life for this long."),
    VALUE(shutdown_timeout, SETTING_DURATION, "20s", 0, HOUR, RELOAD, NULL,
          "How long work in flight may take to finish after SIGTERM. The next start reads the rest again."),
    {.name = NULL},
};

/* Checks the rules between keys. An error names the place of one of them. */
static void check(const struct config *c, struct error_list *wrong)
{
    char origin[1200];
    struct error why;
    if (c->relay_idle_timeout <= c->relay_ping_interval) {
        error_set(&why,
                  "%s: relay_idle_timeout is too small (%lld ms), expected more than relay_ping_interval (%lld ms)",
                  config_origin(c, "relay_idle_timeout", origin, sizeof origin), (long long)c->relay_idle_timeout,
                  (long long)c->relay_ping_interval);
        error_list_add(wrong, &why);
    }
    if (c->ring_size < 2 * c->relay_max_message) {
        error_set(&why, "%s: ring_size is too small (%lld), expected at least twice relay_max_message (%lld)",
                  config_origin(c, "ring_size", origin, sizeof origin), (long long)c->ring_size,
                  2 * (long long)c->relay_max_message);
        error_list_add(wrong, &why);
    }
}

struct config *config_read(const char *path, struct error_list *wrong)
{
    _Static_assert(sizeof config_table / sizeof config_table[0] <= CONFIG_ROWS, "origins has one place a row");
    struct config *c = calloc(1, sizeof *c);
    if (c == NULL || !settings_defaults(config_table, c, c->origins) ||
        (path != NULL && (c->path = strdup(path)) == NULL)) {
        error_list_add(wrong, &(struct error){"out of memory"});
        config_free(c);
        return NULL;
    }
    if (path != NULL)
        settings_read_file(config_table, c, c->origins, path, wrong);
    settings_read_environment(config_table, c, c->origins, wrong);
    check(c, wrong);
    return c;
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    settings_free(config_table, c);
    free(c->path);
    free(c);
}

const char *config_origin(const struct config *c, const char *key, char *out, size_t out_bytes)
{
    char variable[SETTING_VARIABLE_BYTES];
    int i = settings_find(config_table, key);
    if (i >= 0 && c->origins[i].from_operator)
        snprintf(out, out_bytes, "set by firehosectl, until the next reload");
    else if (i >= 0 && c->origins[i].from_environment)
        snprintf(out, out_bytes, "environment variable %s", setting_variable(&config_table[i], variable));
    else if (i >= 0 && c->origins[i].from_alias)
        snprintf(out, out_bytes, "environment variable %s", config_table[i].alias);
    else if (i >= 0 && c->origins[i].line > 0)
        snprintf(out, out_bytes, "%s:%d", c->path, c->origins[i].line);
    else
        snprintf(out, out_bytes, "default of %s", key);
    return out;
}

bool config_is_set(const struct config *c, const char *key)
{
    int i = settings_find(config_table, key);
    if (i < 0)
        return false;
    const struct setting_origin *from = &c->origins[i];
    return from->from_environment || from->from_alias || from->from_operator || from->line > 0;
}

unsigned config_worker_count(const struct config *c)
{
    if (c->workers > 0)
        return (unsigned)c->workers;
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 2;
    if (n < 2)
        return 2;
    return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}
