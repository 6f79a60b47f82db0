/* ws_handshake.c: writes the request and reads the server's answer.
 *
 * A person must act on an answer that is proper HTTP, but not an upgrade (a wrong address, a limit, a proxy). The error
 * therefore has its status, its target and the start of its text, without characters that could control a terminal. */
#include "config.h"

#include "net/ws_handshake.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "http_head.h"

enum {
    BODY_SHOWN_BYTES = 120,
    RETRY_AFTER_MAX_S = 24 * 60 * 60, /* a longer Retry-After counts as this */
};

void ws_append_request(struct buffer *out, const struct url *url, const char *path, const char *key,
                       const char *user_agent)
{
    bool is_v6 = strchr(url->host, ':') != NULL;
    buffer_append_format(out, "GET %s HTTP/1.1\r\nHost: %s%s%s", path, is_v6 ? "[" : "", url->host, is_v6 ? "]" : "");
    if (url->port != (url_is_tls(url) ? 443 : 80))
        buffer_append_format(out, ":%u", url->port);
    buffer_append_format(out,
                         "\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\n"
                         "Sec-WebSocket-Key: %s\r\n"
                         "Sec-WebSocket-Version: 13\r\n"
                         "User-Agent: %s\r\n\r\n",
                         key, user_agent);
}

/* ---- Retry-After ---- */

/* Returns the value of two digits, or -1. */
static int two_digits(const char *p)
{
    return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

/* Reads "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7) as seconds since 1970. Returns -1 for any other text. */
static int64_t parse_date(struct span s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char shape[] = "---, -- --- ---- --:--:-- GMT";
    if (s.len != sizeof shape - 1)
        return -1;
    for (size_t i = 0; i < s.len; i++)
        if (shape[i] != '-' && shape[i] != s.at[i])
            return -1;
    int month = 0;
    while (month < 12 && memcmp(months + 3 * month, s.at + 8, 3) != 0)
        month++;
    int day = two_digits(s.at + 5), century = two_digits(s.at + 12), year = two_digits(s.at + 14);
    int hour = two_digits(s.at + 17), minute = two_digits(s.at + 20), second = two_digits(s.at + 23);
    if (month == 12 || day < 1 || century < 19 || year < 0 || hour < 0 || minute < 0 || second < 0)
        return -1;
    struct tm tm = {.tm_year = century * 100 + year - 1900, .tm_mon = month, .tm_mday = day, .tm_hour = hour,
                    .tm_min = minute, .tm_sec = second};
    return timegm(&tm);
}

/* Returns the Retry-After in seconds from now, or -1 if the header is absent or unusable. */
static int retry_after(const struct http_head *head)
{
    struct span value;
    if (!http_field(head, "Retry-After", &value) || value.len == 0)
        return -1;
    int64_t seconds = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') {
            int64_t date = parse_date(value);
            if (date < 0)
                return -1;
            seconds = date - clock_unix_us() / 1000000;
            break;
        }
        if (seconds <= RETRY_AFTER_MAX_S)
            seconds = seconds * 10 + (value.at[i] - '0');
    }
    return seconds < 0 ? 0 : seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (int)seconds;
}

/* ---- the answer ---- */

/* Recognises early that the bytes are not HTTP: the end of the head would never come. */
static bool may_be_http(const uint8_t *bytes, size_t len, struct error *why)
{
    static const char start[] = "HTTP/1.";
    size_t n = len < sizeof start - 1 ? len : sizeof start - 1;
    if (memcmp(bytes, start, n) == 0)
        return true;
    char shown[32];
    if (bytes[0] == 0x15 || bytes[0] == 0x16) /* RFC 8446 §5.1: alert, handshake */
        error_set(why, "the answer is TLS, not HTTP: the URL should begin with wss://");
    else
        error_set(why, "the answer is not HTTP: '%s'",
                  span_printable((struct span){(const char *)bytes, len < 24 ? len : 24}, shown, sizeof shown));
    return false;
}

/* Parses "HTTP/1.1 101 Switching Protocols" as a status and a reason. */
static bool parse_status_line(struct span line, int *status, struct span *reason, struct error *why)
{
    const char *p = line.at;
    bool ok = line.len >= 12 && p[7] >= '0' && p[7] <= '9' && p[8] == ' ' && p[9] >= '1' && p[9] <= '5' &&
              two_digits(p + 10) >= 0 && (line.len == 12 || p[12] == ' ');
    if (!ok) {
        char shown[60];
        error_set(why, "'%s' is not an HTTP status line", span_printable(line, shown, sizeof shown));
        return false;
    }
    *status = (p[9] - '0') * 100 + two_digits(p + 10);
    *reason = line.len > 13 ? (struct span){p + 13, line.len - 13} : (struct span){p, 0};
    return true;
}

/* Makes the client's checks 2 to 6 of §4.1. */
static bool check_upgrade(const struct http_head *head, const char *key, struct error *why)
{
    char expected[WS_ACCEPT_TEXT_BYTES];
    struct span accept, value;
    if (head->line.at[7] == '0')
        error_set(why, "the answer is an upgrade in HTTP/1.0, expected HTTP/1.1");
    else if (!http_field_lists(head, "Upgrade", "websocket"))
        error_set(why, "the answer has no 'Upgrade: websocket'");
    else if (!http_field_lists(head, "Connection", "upgrade"))
        error_set(why, "the answer has no 'Connection: Upgrade'");
    else if (http_field_count(head, "Sec-WebSocket-Accept") != 1 || !http_field(head, "Sec-WebSocket-Accept", &accept))
        error_set(why, "the answer has no Sec-WebSocket-Accept, or more than one");
    else if (!ws_key_accept(key, expected) || !span_equals(accept, expected))
        error_set(why, "the answer has a wrong Sec-WebSocket-Accept: it belongs to another request");
    else if (http_field(head, "Sec-WebSocket-Extensions", &value))
        error_set(why, "the server chose an extension that was not asked for");
    else if (http_field(head, "Sec-WebSocket-Protocol", &value))
        error_set(why, "the server chose a subprotocol that was not asked for");
    else
        return true;
    return false;
}

/* Writes the start of a body that people can read, as far as it has arrived; otherwise "". */
static void show_body(const struct http_head *head, const uint8_t *body, size_t len, char *out, size_t out_bytes)
{
    struct span type, text = {(const char *)body, len}, encoding;
    out[0] = '\0';
    bool readable = !http_field(head, "Content-Type", &type) || (type.len >= 5 && strncmp(type.at, "text/", 5) == 0) ||
                    (type.len >= 16 && strncmp(type.at, "application/json", 16) == 0);
    if (!readable || http_field(head, "Content-Encoding", &encoding))
        return;
    if (http_field_lists(head, "Transfer-Encoding", "chunked")) { /* skip the size of the first chunk */
        const char *end = memchr(text.at, '\n', text.len);
        size_t skip = end != NULL ? (size_t)(end - text.at) + 1 : text.len;
        text.at += skip;
        text.len -= skip;
    }
    span_printable(text, out, out_bytes);
}

/* Sets *why to "HTTP 429 Too Many Requests (retry after 30 s): slow down". */
static void explain_refusal(const struct http_head *head, struct span reason, const struct ws_upgrade_answer *answer,
                            const uint8_t *body, size_t body_len, struct error *why)
{
    char phrase[64], location[160], text[BODY_SHOWN_BYTES], hint[200] = "";
    struct span target;
    span_printable(reason, phrase, sizeof phrase);
    show_body(head, body, body_len, text, sizeof text);
    if (answer->status >= 200 && answer->status < 300)
        snprintf(hint, sizeof hint, " instead of an upgrade: not a WebSocket endpoint?");
    else if (answer->status >= 300 && answer->status < 400 && http_field(head, "Location", &target))
        snprintf(hint, sizeof hint, ", redirected to %s (not followed)",
                 span_printable(target, location, sizeof location));
    else if (answer->retry_after_s >= 0)
        snprintf(hint, sizeof hint, " (retry after %d s)", answer->retry_after_s);
    error_set(why, "HTTP %d%s%s%s%s%s", answer->status, phrase[0] != '\0' ? " " : "", phrase, hint,
              text[0] != '\0' ? ": " : "", text);
}

enum ws_upgrade ws_read_answer(const uint8_t *bytes, size_t len, const char *key, struct ws_upgrade_answer *answer,
                               struct error *why)
{
    struct http_head head;
    struct span reason;
    *answer = (struct ws_upgrade_answer){.retry_after_s = -1};
    size_t at = 0;
    do { /* RFC 9110 §15.2: interim answers other than 101 may come first */
        if (at == len)
            return WS_UPGRADE_NEED_MORE;
        if (!may_be_http(bytes + at, len - at, why))
            return WS_UPGRADE_BROKEN;
        enum http_head_result result = http_head_read(bytes + at, len - at, WS_HANDSHAKE_MAX_BYTES - at, &head, why);
        if (result != HTTP_HEAD_WHOLE)
            return result == HTTP_HEAD_NEED_MORE ? WS_UPGRADE_NEED_MORE : WS_UPGRADE_BROKEN;
        if (!parse_status_line(head.line, &answer->status, &reason, why))
            return WS_UPGRADE_BROKEN;
        at += head.bytes;
    } while (answer->status < 200 && answer->status != 101);
    answer->consumed = at;
    if (answer->status == 101)
        return check_upgrade(&head, key, why) ? WS_UPGRADE_DONE : WS_UPGRADE_BROKEN;
    answer->retry_after_s = retry_after(&head);
    explain_refusal(&head, reason, answer, bytes + at, len - at, why);
    return WS_UPGRADE_REFUSED;
}
