/* log_fold.h: folds lines that repeat word for word. LOG_BURST lines of one text pass in a minute; the others are
 * counted, and one line reports the count at the end of the minute. A table keeps the last few texts. Pure but for the
 * table. */
#ifndef FIREHOSED_BASE_LOG_FOLD_H
#define FIREHOSED_BASE_LOG_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log_level.h"

enum { LOG_BURST = 4, LOG_MINUTE_MS = 60000, LOG_FOLDS = 16, LOG_FOLD_TEXT_BYTES = 256 };

struct log_fold {
    uint64_t hash; /* of level and text; 0: the entry is free */
    int64_t minute_ends_ms, last_ms;
    unsigned passed;
    uint64_t held_back;
    enum log_level level;
    char text[LOG_FOLD_TEXT_BYTES]; /* the start of the text, for the report */
};

struct log_folds {
    struct log_fold folds[LOG_FOLDS];
    bool has_held_back; /* at least one of them may have a count to report */
};

/* Returns true if the line should be written. A new text takes the oldest entry of a full table. If that entry has a
 * count to report, *evicted (may be NULL) gets the entry; otherwise evicted->held_back is 0. */
bool log_fold_pass(struct log_folds *f, enum log_level level, const char *text, int64_t now_ms,
                   struct log_fold *evicted);

/* Copies the next entry whose minute has ended and that has a count to report to *out, and starts its next minute.
 * Returns false if there is none. */
bool log_fold_due(struct log_folds *f, int64_t now_ms, struct log_fold *out);

#endif
