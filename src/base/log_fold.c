#include "config.h"

#include "base/log_fold.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static struct log_fold *find(struct log_folds *f, uint64_t hash)
{
    for (size_t i = 0; i < LOG_FOLDS; i++)
        if (f->folds[i].hash == hash)
            return &f->folds[i];
    return NULL;
}

/* Returns a free entry, or the one whose text came longest ago. */
static struct log_fold *make_room(struct log_folds *f)
{
    struct log_fold *found = &f->folds[0];
    for (size_t i = 1; i < LOG_FOLDS && found->hash != 0; i++)
        if (f->folds[i].hash == 0 || f->folds[i].last_ms < found->last_ms)
            found = &f->folds[i];
    return found;
}

bool log_fold_pass(struct log_folds *f, enum log_level level, const char *text, int64_t now_ms,
                   struct log_fold *evicted)
{
    uint64_t hash = hash_bytes(text, strlen(text)) + (uint64_t)level;
    hash += hash == 0;
    if (evicted != NULL)
        evicted->held_back = 0;
    struct log_fold *fold = find(f, hash);
    if (fold == NULL) {
        fold = make_room(f);
        if (evicted != NULL && fold->held_back > 0)
            *evicted = *fold;
        *fold = (struct log_fold){.hash = hash, .level = level, .minute_ends_ms = now_ms + LOG_MINUTE_MS};
        snprintf(fold->text, sizeof fold->text, "%s", text);
    } else if (now_ms >= fold->minute_ends_ms && fold->held_back == 0) {
        fold->minute_ends_ms = now_ms + LOG_MINUTE_MS;
        fold->passed = 0;
    }
    fold->last_ms = now_ms;
    if (fold->passed >= LOG_BURST) {
        fold->held_back++;
        f->has_held_back = true;
        return false;
    }
    fold->passed++;
    return true;
}

bool log_fold_due(struct log_folds *f, int64_t now_ms, struct log_fold *out)
{
    bool more = false;
    for (size_t i = 0; i < LOG_FOLDS && f->has_held_back; i++) {
        struct log_fold *fold = &f->folds[i];
        more = more || fold->held_back > 0;
        if (fold->held_back == 0 || now_ms < fold->minute_ends_ms)
            continue;
        *out = *fold;
        fold->held_back = 0;
        fold->passed = 0;
        fold->minute_ends_ms = now_ms + LOG_MINUTE_MS;
        return true;
    }
    f->has_held_back = more;
    return false;
}
