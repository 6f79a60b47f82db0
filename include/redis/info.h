/* info.h: what Redis says of itself, the text that INFO answers with. */
#ifndef FIREHOSED_REDIS_INFO_H
#define FIREHOSED_REDIS_INFO_H

#include <stddef.h>
#include <stdint.h>

/* Copies what stands behind "name:" at the beginning of a line, as far as it fits in; "": there is no such line. */
void info_text(const char *info, const char *name, char *out, size_t size);

/* The number behind "name:" at the beginning of a line; -1: there is no such line. */
int64_t info_number(const char *info, const char *name);

/* What is known of the append-only log of a running Redis, from INFO persistence.
 *
 * A Redis that was killed within a transaction may have left MULTI and a part of the commands in its log, without EXEC.
 * It starts without them, but writes on behind them: at the start after that one the next EXEC executes them after all.
 * Only a log that this process has written anew, from what it holds in memory, is free of that; whether one that was
 * taken over from an earlier process is so too cannot be asked. */
enum append_log {
    APPEND_LOG_SOUND,         /* there is none, or it was written anew since the start */
    APPEND_LOG_INHERITED,     /* it was not */
    APPEND_LOG_BEING_WRITTEN, /* it is, right now or as soon as a snapshot is finished */
    APPEND_LOG_FAILED,        /* it could not be, or nothing is told of it */
};
enum append_log info_append_log(const char *info);

#endif
