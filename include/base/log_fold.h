/* log_fold.h: limits what the log gets in a minute, so that nobody who sends us text can fill a disk with it.
 *
 * A place is a place in the code (the address of its format string), or a worker. In a minute, LOG_BURST lines of one
 * text pass, and LOG_PLACE_LINES lines of one place, as texts from outside may differ by a number only. All places
 * together have LOG_MINUTE_BYTES; beyond, only the first LOG_BURST lines of each place pass, so that a flood at one
 * place hides no error of another. The other lines are counted, and one line for each place reports the count at the
 * end of its minute. The table has a fixed size, and is pure. */
#ifndef FIREHOSED_BASE_LOG_FOLD_H
#define FIREHOSED_BASE_LOG_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log_level.h"

enum {
    LOG_BURST = 4,
    LOG_PLACE_LINES = 64, /* as many as there may be workers: each may have a line at the start */
    LOG_MINUTE_BYTES = 256 * 1024,
    LOG_MINUTE_MS = 60000,
    LOG_PLACES = 256, /* twice the places in the code, with the workers; further ones share the last entry */
    LOG_FOLD_TEXT_BYTES = 256,
};

struct log_fold {
    const void *place;
    int64_t minute_ends_ms;
    unsigned passed;
    uint64_t held_back;
    uint64_t hashes[LOG_PLACE_LINES]; /* of the texts that have passed in this minute */
    enum log_level level;
    char text[LOG_FOLD_TEXT_BYTES]; /* the start of the last text held back, for the report */
};

struct log_folds {
    struct log_fold folds[LOG_PLACES];
    size_t count;
    int64_t minute_ends_ms;
    size_t bytes;       /* written in this minute */
    bool has_held_back; /* at least one place may have a count to report */
};

/* Returns true if the line should be written. Lines of level debug are limited by bytes alone: who asks for them wants
 * each one. */
bool log_fold_pass(struct log_folds *f, const void *place, enum log_level level, const char *text, int64_t now_ms);

/* Returns the next place whose minute has ended and that has a count to report, and starts its next minute; *held_back
 * gets the count. Returns NULL if there is none. */
const struct log_fold *log_fold_due(struct log_folds *f, int64_t now_ms, uint64_t *held_back);

#endif
