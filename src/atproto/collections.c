#include "config.h"

#include "atproto/collections.h"

#include <stdlib.h>
#include <string.h>

/* A slice of the list's text: a whole NSID, or the start of one. */
struct pattern {
    const char *text;
    size_t len;
    bool is_prefix;
};

struct collections {
    char *text;
    struct pattern *patterns;
    size_t count;
};

static const char separators[] = ", \t";

/* An NSID has letters, digits, hyphens, and dots between its parts. */
static bool is_nsid_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        if (!word && !(c == '.' && i > 0 && text[i - 1] != '.'))
            return false;
    }
    return len > 0;
}

static unsigned count_dots(const char *text, size_t len)
{
    unsigned dots = 0;
    for (size_t i = 0; i < len; i++)
        dots += text[i] == '.';
    return dots;
}

/* An NSID has three parts at least: a shorter one would match no collection. */
static bool read_pattern(const char *text, size_t len, struct pattern *p)
{
    *p = (struct pattern){.text = text, .len = len};
    if (len == 1 && text[0] == '*') {
        p->is_prefix = true;
        p->len = 0;
        return true;
    }
    if (len > 2 && memcmp(text + len - 2, ".*", 2) == 0) {
        p->is_prefix = true;
        p->len = len - 1; /* with the dot */
    }
    return len <= COLLECTION_PATTERN_BYTES && is_nsid_text(p->text, p->len) &&
           (p->is_prefix || (text[len - 1] != '.' && count_dots(text, len) >= 2));
}

static size_t count_words(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
        text += strcspn(text, separators);
        count++;
    }
    return count;
}

static bool read_all(struct collections *c, struct error *why)
{
    const char *at = c->text + strspn(c->text, separators);
    while (*at != '\0') {
        size_t len = strcspn(at, separators);
        if (!read_pattern(at, len, &c->patterns[c->count++])) {
            int shown = len > 100 ? 100 : (int)len;
            bool is_short = is_nsid_text(at, len) && at[len - 1] != '.' && count_dots(at, len) == 1;
            error_set(why, "'%.*s' is not a collection, expected the likes of app.bsky.feed.post, app.bsky.feed.* or *",
                      shown, at);
            if (is_short)
                error_set(why, "'%.*s' is not a collection and matches nothing, did you mean '%.*s.*'?", shown, at,
                          shown, at);
            return false;
        }
        at += len + strspn(at + len, separators);
    }
    return true;
}

struct collections *collections_new(const char *list, struct error *why)
{
    struct collections *c = calloc(1, sizeof *c);
    if (c == NULL || (c->text = strdup(list)) == NULL ||
        (c->patterns = calloc(count_words(list) + 1, sizeof *c->patterns)) == NULL)
        error_set(why, "out of memory");
    else if (read_all(c, why))
        return c;
    collections_free(c);
    return NULL;
}

void collections_free(struct collections *c)
{
    if (c == NULL)
        return;
    free(c->patterns);
    free(c->text);
    free(c);
}

bool collections_are_empty(const struct collections *c) { return c->count == 0; }

bool collections_match(const struct collections *c, const uint8_t *path, size_t len)
{
    if (c->count == 0)
        return false;
    const uint8_t *slash = memchr(path, '/', len);
    if (slash != NULL)
        len = (size_t)(slash - path);
    for (size_t i = 0; i < c->count; i++) {
        const struct pattern *p = &c->patterns[i];
        if ((p->is_prefix ? len > p->len || p->len == 0 : len == p->len) && memcmp(path, p->text, p->len) == 0)
            return true;
    }
    return false;
}
