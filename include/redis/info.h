/* info.h: reads the text that Redis answers INFO with. */
#ifndef FIREHOSED_REDIS_INFO_H
#define FIREHOSED_REDIS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies the text behind "name:" at the beginning of a line, as far as it fits in; "" if there is no such line. */
void info_text(const char *info, const char *name, char *out, size_t size);

/* Returns the number behind "name:" at the beginning of a line; -1 if there is no such line. */
int64_t info_number(const char *info, const char *name);

/* Writes what a running Redis is set to do that endangers the stream, and what to change; "" if there is nothing. */
void info_concern(const char *info, char *out, size_t size);

/* The state of the append-only log of a running Redis, from INFO persistence.
 *
 * A Redis that was killed within a transaction may have left MULTI and a part of the commands in its log, without EXEC.
 * It starts without them, but writes on behind them: at the start after that one, the next EXEC executes them after
 * all. A log that this server process has written anew from its memory is free of that. One that it took over from an
 * earlier process may not be, and INFO does not tell. */
enum append_log {
    APPEND_LOG_SOUND,         /* there is no log, or it was written anew since the start */
    APPEND_LOG_INHERITED,     /* it was taken over from an earlier process */
    APPEND_LOG_BEING_WRITTEN, /* it is being written anew, or will be as soon as a snapshot is finished */
    APPEND_LOG_FAILED,        /* it could not be written anew */
};
enum append_log info_append_log(const char *info);

#endif
