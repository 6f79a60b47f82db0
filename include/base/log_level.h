/* log_level.h: how important a line of the log is, and in which form the line is written. */
#ifndef FIREHOSED_BASE_LOG_LEVEL_H
#define FIREHOSED_BASE_LOG_LEVEL_H

/* Both enums are in the order of the configuration's choices. */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Returns "debug", "info", "warn" or "error". */
static inline const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return names[level];
}

#endif
