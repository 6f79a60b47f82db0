/* log_fold.h: lines that repeat word for word. A table of the last few that were written: LOG_BURST of each a minute
 * pass, the rest is counted, and told when the minute is over. Pure but for the table. */
#ifndef FIREHOSED_BASE_LOG_FOLD_H
#define FIREHOSED_BASE_LOG_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

enum { LOG_FOLDS = 16, LOG_FOLD_TEXT_BYTES = 256 };

struct log_fold {
    uint64_t hash; /* of level and text; 0: free */
    int64_t minute_ends_ms, last_ms;
    unsigned passed;
    uint64_t held_back;
    enum log_level level;
    char text[LOG_FOLD_TEXT_BYTES]; /* its beginning, for telling */
};

struct log_folds {
    struct log_fold folds[LOG_FOLDS];
    bool has_held_back; /* any of them may have */
};

/* True: the line is to be written. Where the table is full the one that was seen longest ago makes room; if it has
 * something to tell, that is lost but for *evicted (may be NULL), which gets it. */
bool log_fold_pass(struct log_folds *f, enum log_level level, const char *text, int64_t now_ms,
                   struct log_fold *evicted);

/* The next whose minute is over and that has something to tell: it is copied to *out and begun anew. False: none. */
bool log_fold_due(struct log_folds *f, int64_t now_ms, struct log_fold *out);

#endif
