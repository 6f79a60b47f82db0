#include "config.h"

#include "http_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool span_equals(struct span s, const char *text) { return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0; }

bool span_equals_nocase(struct span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

const char *span_printable(struct span s, char *out, size_t out_bytes)
{
    size_t n = 0;
    bool space = false;
    for (size_t i = 0; i < s.len && n + 2 < out_bytes; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            space = n > 0;
            continue;
        }
        if (space)
            out[n++] = ' ';
        space = false;
        out[n++] = (char)(c > ' ' && c < 0x7f ? c : '.');
    }
    out[n] = '\0';
    return out;
}

static struct span trim(struct span s)
{
    while (s.len > 0 && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Returns true for a character of a token (RFC 9110 §5.6.2). */
static bool is_token_character(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Splits "Name: value". check_field() has accepted the line. */
static void split_field(struct span line, struct span *name, struct span *value)
{
    const char *colon = memchr(line.at, ':', line.len);
    *name = (struct span){line.at, (size_t)(colon - line.at)};
    *value = trim((struct span){colon + 1, line.len - name->len - 1});
}

static bool check_field(struct span line, struct error *why)
{
    if (line.at[0] == ' ' || line.at[0] == '\t') {
        error_set(why, "the head has a folded header line"); /* RFC 9112 §5.2 */
        return false;
    }
    size_t n = 0;
    while (n < line.len && is_token_character((unsigned char)line.at[n]))
        n++;
    if (n == 0 || n == line.len || line.at[n] != ':') {
        char shown[40];
        error_set(why, "'%s' is not a header line", span_printable(line, shown, sizeof shown));
        return false;
    }
    return true;
}

/* Takes the next line off `rest`. Returns false if the line is not whole, or if it is not valid; then it sets *broken
 * and *why. */
static bool next_line(struct span *rest, struct span *line, bool *broken, struct error *why)
{
    for (size_t i = 0; i < rest->len; i++) {
        unsigned char c = (unsigned char)rest->at[i];
        if (c == '\r') {
            if (i + 1 == rest->len)
                return false;
            if (rest->at[i + 1] == '\n') {
                *line = (struct span){rest->at, i};
                rest->at += i + 2;
                rest->len -= i + 2;
                return true;
            }
        }
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            error_set(why, c == '\n' ? "a line ends with a bare LF" : "the head has control character 0x%02x", c);
            *broken = true;
            return false;
        }
    }
    return false;
}

enum http_head_result http_head_read(const uint8_t *bytes, size_t len, size_t max_bytes, struct http_head *head,
                                     struct error *why)
{
    struct span rest = {(const char *)bytes, len < max_bytes ? len : max_bytes}, line;
    bool broken = false;
    *head = (struct http_head){0};
    while (next_line(&rest, &line, &broken, why)) {
        if (head->line.at == NULL) {
            head->line = line;
            head->fields.at = rest.at;
        } else if (line.len == 0) {
            head->fields.len = (size_t)(line.at - head->fields.at);
            head->bytes = (size_t)(rest.at - (const char *)bytes);
            return HTTP_HEAD_WHOLE;
        } else if (!check_field(line, why)) {
            return HTTP_HEAD_BROKEN;
        }
    }
    if (broken)
        return HTTP_HEAD_BROKEN;
    if (len >= max_bytes) {
        error_set(why, "the peer sent a head of more than %zu bytes", max_bytes);
        return HTTP_HEAD_BROKEN;
    }
    return HTTP_HEAD_NEED_MORE;
}

/* Finds the next field with this name. `rest` starts as head->fields. */
static bool next_field(struct span *rest, const char *name, struct span *value)
{
    struct span line, found;
    struct error ignored;
    bool broken;
    while (next_line(rest, &line, &broken, &ignored)) {
        split_field(line, &found, value);
        if (span_equals_nocase(found, name))
            return true;
    }
    return false;
}

bool http_field(const struct http_head *head, const char *name, struct span *value)
{
    struct span rest = head->fields;
    return next_field(&rest, name, value);
}

unsigned http_field_count(const struct http_head *head, const char *name)
{
    struct span rest = head->fields, value;
    unsigned n = 0;
    while (next_field(&rest, name, &value))
        n++;
    return n;
}

bool http_field_lists(const struct http_head *head, const char *name, const char *token)
{
    struct span rest = head->fields, value;
    while (next_field(&rest, name, &value))
        while (value.len > 0) {
            const char *comma = memchr(value.at, ',', value.len);
            size_t n = comma != NULL ? (size_t)(comma - value.at) : value.len;
            if (span_equals_nocase(trim((struct span){value.at, n}), token))
                return true;
            n += comma != NULL;
            value.at += n;
            value.len -= n;
        }
    return false;
}
