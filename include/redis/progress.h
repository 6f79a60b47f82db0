/* progress.h: how far each partition is, and who may write: the keys that exactly-once rests on (doc/exactly-once.md).
 *
 * <progress_key>  hash: field "0".."63": the last seq that was written for that partition; "relay": the host whose
 *                 sequence this is; "cursor": a copy of the cursor as it was last saved. In the first relay's alone:
 *                 "run": the run of Redis (run_id) whose append-only log is known to be sound (redis/info.h).
 * <owner_key>:<slot>  the token of the worker that may write for the slot: "<instance>:<generation>". The instance is a
 *                 random number of a master, the generation rises with each worker that it starts. Its upper half
 *                 is the epoch: it rises with each master that takes the keys over, and with each time that
 *                 such a master drops or changes marks.
 * <owner_key>:master  the token of the master that may save the cursor. */
#ifndef FIREHOSED_REDIS_PROGRESS_H
#define FIREHOSED_REDIS_PROGRESS_H

#include <hiredis/hiredis.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/worker_pages.h"

struct marks {
    int64_t seq[PARTITIONS]; /* 0: none */
};

/* The newest marks of one worker's partitions that are known to be in Redis, 0: none yet. Written by that worker;
 * outlives it, so that a successor notices when Redis has lost data meanwhile. */
union known_page {
    _Atomic int64_t seq[PARTITIONS];
    char bytes[WORKER_PAGE_BYTES];
};

struct marks known_page_read(const union known_page *page);

/* The pages of all workers, as the master has them. Of each it reads the worker's own partitions only. */
struct known_marks {
    unsigned workers;        /* partition p is in the page of worker p % workers */
    union known_page *pages; /* base/worker_pages.h */
};

/* Returns NULL if memory is short. The pages are never freed: they live as long as the master. */
struct known_marks *known_marks_new(void);
void known_marks_free(struct known_marks *known);

/* Other workers have the partitions from now on. None of them runs. */
void known_marks_route(struct known_marks *known, unsigned workers);

/* Reads or writes all of them. */
struct marks known_marks_read(const struct known_marks *known);
void known_marks_write(struct known_marks *known, const struct marks *marks);

/* Forgets the marks: they will be read from Redis anew. */
void known_marks_forget(struct known_marks *known);

/* Reads the answer to progress_append_read(). Returns false if it is not one. */
bool progress_parse(const redisReply *reply, struct marks *marks);

/* Reads the answer to TYPE. Returns true if another type of key stands where a stream is expected. */
bool progress_is_no_stream(const redisReply *reply);

/* Appends HMGET of all marks, as RESP. */
void progress_append_read(struct buffer *out, const char *key);

/* Appends HSET of the marks whose bit is set in `which` (not 0). */
void progress_append_write(struct buffer *out, const char *key, const struct marks *marks, uint64_t which);

struct owner_token {
    uint64_t instance, generation;
};

enum { OWNER_TOKEN_BYTES = 48, OWNER_KEY_BYTES = 300 };

/* The upper half of the generation: it rises with each instance that takes the keys over. */
static inline uint64_t owner_epoch(const struct owner_token *token) { return token->generation >> 32; }

void owner_format(const struct owner_token *token, char out[OWNER_TOKEN_BYTES]);
bool owner_parse(const char *text, struct owner_token *token);
void owner_key(const char *prefix, unsigned slot, char out[OWNER_KEY_BYTES]);

/* A bulk string of RESP. */
void resp_append_bulk(struct buffer *out, const char *text);
/* The head of a command with so many words. */
void resp_append_command(struct buffer *out, size_t words, const char *name);

#endif
