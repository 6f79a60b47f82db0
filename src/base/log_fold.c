#include "config.h"

#include "base/log_fold.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* Returns the entry of the place, a new one for a new place. */
static struct log_fold *find(struct log_folds *f, const void *place)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->folds[i].place == place)
            return &f->folds[i];
    if (f->count == LOG_PLACES)
        return &f->folds[LOG_PLACES - 1];
    f->folds[f->count] = (struct log_fold){.place = place};
    return &f->folds[f->count++];
}

static bool is_repeated(const struct log_fold *fold, uint64_t hash)
{
    unsigned same = 0;
    for (unsigned i = 0; i < fold->passed && i < LOG_PLACE_LINES; i++)
        same += fold->hashes[i] == hash;
    return same >= LOG_BURST;
}

static void begin_minutes(struct log_folds *f, struct log_fold *fold, int64_t now_ms)
{
    if (now_ms >= f->minute_ends_ms) {
        f->minute_ends_ms = now_ms + LOG_MINUTE_MS;
        f->bytes = 0;
    }
    if (now_ms >= fold->minute_ends_ms && fold->held_back == 0) { /* a count is reported first */
        fold->minute_ends_ms = now_ms + LOG_MINUTE_MS;
        fold->passed = 0;
    }
}

static bool is_due(const struct log_folds *f, const struct log_fold *fold, enum log_level level, uint64_t hash,
                   size_t len)
{
    if (f->bytes + len > LOG_MINUTE_BYTES && fold->passed >= LOG_BURST)
        return false;
    if (level == LOG_LEVEL_DEBUG)
        return true;
    return fold->passed < LOG_PLACE_LINES && (level < LOG_LEVEL_WARN || !is_repeated(fold, hash));
}

bool log_fold_pass(struct log_folds *f, const void *place, enum log_level level, const char *text, int64_t now_ms)
{
    size_t len = strlen(text);
    uint64_t hash = hash_bytes(text, len);
    struct log_fold *fold = find(f, place);
    begin_minutes(f, fold, now_ms);
    if (!is_due(f, fold, level, hash, len)) {
        snprintf(fold->text, sizeof fold->text, "%s", text);
        fold->level = level;
        fold->held_back++;
        f->has_held_back = true;
        return false;
    }
    if (fold->passed < LOG_PLACE_LINES)
        fold->hashes[fold->passed] = hash;
    fold->passed++;
    f->bytes += len;
    return true;
}

const struct log_fold *log_fold_due(struct log_folds *f, int64_t now_ms, uint64_t *held_back)
{
    bool more = false;
    for (size_t i = 0; i < f->count && f->has_held_back; i++) {
        struct log_fold *fold = &f->folds[i];
        more = more || fold->held_back > 0;
        if (fold->held_back == 0 || now_ms < fold->minute_ends_ms)
            continue;
        *held_back = fold->held_back;
        fold->held_back = 0;
        fold->passed = 0;
        fold->minute_ends_ms = now_ms + LOG_MINUTE_MS;
        return fold;
    }
    f->has_held_back = more;
    return NULL;
}
