/* config.h: firehosed's own settings: the struct, and the table of its keys (config.c). A new key needs a row and a
 * field. */
#ifndef FIREHOSED_BASE_CONFIG_H
#define FIREHOSED_BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/settings.h"
#include "base/settings_print.h"

enum { CONFIG_ROWS = 128 };

enum config_start { CONFIG_START_LIVE, CONFIG_START_OLDEST, CONFIG_START_STREAM };
enum config_sandbox { CONFIG_SANDBOX_STRICT, CONFIG_SANDBOX_LOG, CONFIG_SANDBOX_OFF };

enum config_sequence_reset { CONFIG_SEQUENCE_FOLLOW, CONFIG_SEQUENCE_STOP };
enum config_stream_full { CONFIG_STREAM_TRIM, CONFIG_STREAM_WAIT };

enum config_foreign_writer { CONFIG_FOREIGN_WAIT, CONFIG_FOREIGN_IGNORE };

struct config {
    /* The relay. */
    char *relay; /* one URL or several */
    int64_t relay_attempts;
    int64_t relay_failback;
    int64_t relay_memory;
    char *relay_ca_file;
    int64_t relay_connect_timeout;
    int64_t relay_ping_interval;
    int64_t relay_idle_timeout;
    int64_t relay_backoff;
    int64_t relay_backoff_max;
    int64_t relay_max_message;
    int start;             /* enum config_start */
    int foreign_writer;    /* enum config_foreign_writer */
    int on_sequence_reset; /* enum config_sequence_reset */

    /* Redis. */
    char *redis;
    char *redis_ca_file;
    int64_t redis_connect_timeout;
    int64_t redis_reply_timeout;
    bool redis_rewrite_aof;
    char *stream_key;
    int64_t stream_max_len;
    int stream_full; /* enum config_stream_full */
    char *dead_letters_key;
    int64_t dead_letters_max_len;
    char *cursor_key;
    int64_t cursor_interval;
    char *progress_key;
    char *owner_key;

    /* The events, and what dashboards read. */
    int event_format; /* compat, extended: enum event_format of the atproto room, in its order */
    bool emit_sync;
    char *kinds;
    char *collections, *exclude_collections;
    char *dids_file;
    char *status_key;
    char *recent_events_key;
    char *broadcast_channel;
    int64_t broadcast_rate;

    /* The machine. */
    int64_t workers; /* 0: auto */
    int64_t ring_size;
    int64_t batch_events;
    int64_t event_max_size, event_max_growth;
    int64_t batch_size;

    /* The daemon. */
    int log_level;  /* enum log_level */
    int log_format; /* enum log_format */
    char *log_file;
    int64_t report_events;
    int64_t lag_warn;
    char *pid_file;
    char *control_socket;
    char *http_listen;
    char *control_socket_group;
    char *user;
    char *group;
    int sandbox; /* enum config_sandbox */
    int64_t worker_timeout;
    int64_t shutdown_timeout;

    /* The origins of the values. */
    struct setting_origin origins[CONFIG_ROWS];
    char *path; /* the file, or NULL */
};

extern const struct setting config_table[];

/* Takes the defaults, then the file (path NULL: no file), then the environment, and checks the rules between keys. Adds
 * all errors to the list, each as "file:line: …" with what is expected; a wrong key keeps its default. Returns NULL
 * only if memory is short. Free with config_free(). */
struct config *config_read(const char *path, struct error_list *wrong);

void config_free(struct config *config); /* NULL is fine */

/* Writes the place that the key's value came from, for messages: "firehosed.conf:12", "environment variable RELAY_URL"
 * or "default of relay". Returns `out`. */
const char *config_origin(const struct config *config, const char *key, char *out, size_t out_bytes);

/* Returns true if the file, the environment or the operator set the key. */
bool config_is_set(const struct config *config, const char *key);

/* Returns the number of workers. For "auto" that is the number of processors that this process may use, at least 2. */
unsigned config_worker_count(const struct config *config);

#endif
