#include "config.h"

#include "redis/replies.h"

#include <string.h>

enum { MAX_DIGITS = 9 }; /* of a length: enough for any plausible one */

/* Returns whether the reader is between two replies: it holds neither an error nor half a reply. */
static bool is_between(const redisReader *r) { return r->err == 0 && r->ridx == -1 && r->pos <= r->len; }

size_t replies_skip_status(redisReader *r, const char *status, size_t max)
{
    size_t len = strlen(status), line = 1 + len + 2, count = 0;
    if (!is_between(r))
        return 0;
    for (; count < max && r->len - r->pos >= line; count++) {
        const char *p = r->buf + r->pos;
        if (p[0] != '+' || memcmp(p + 1, status, len) != 0 || p[1 + len] != '\r' || p[2 + len] != '\n')
            break;
        r->pos += line;
    }
    return count;
}

/* Reads a number behind a type's letter, and the line's end. Returns NULL if it is none, or not all of it is there. */
static const char *read_length(const char *p, const char *end, size_t *value)
{
    *value = 0;
    for (int digits = 0; p < end && *p >= '0' && *p <= '9'; p++, digits++) {
        if (digits == MAX_DIGITS)
            return NULL;
        *value = *value * 10 + (size_t)(*p - '0');
    }
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? p + 2 : NULL;
}

/* Returns the place behind the element that begins at p. Returns NULL as above. */
static const char *skip_element(const char *p, const char *end)
{
    size_t value;
    if (p == end || (*p != '$' && *p != ':'))
        return NULL;
    bool is_text = *p == '$';
    p = read_length(p + 1, end, &value);
    if (p == NULL || !is_text)
        return p;
    if ((size_t)(end - p) < value + 2 || p[value] != '\r' || p[value + 1] != '\n')
        return NULL;
    return p + value + 2;
}

bool replies_skip_array(redisReader *r, size_t n)
{
    size_t count;
    if (!is_between(r) || r->pos == r->len || r->buf[r->pos] != '*')
        return false;
    const char *end = r->buf + r->len, *p = read_length(r->buf + r->pos + 1, end, &count);
    if (p == NULL || count != n)
        return false;
    for (; n > 0; n--)
        if ((p = skip_element(p, end)) == NULL)
            return false;
    r->pos = (size_t)(p - r->buf);
    return true;
}
