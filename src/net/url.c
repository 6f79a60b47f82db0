#include "config.h"

#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *text;
    enum url_scheme scheme;
    uint16_t port;
} schemes[] = {
    {"ws://", URL_WS, 80},          {"wss://", URL_WSS, 443},   {"redis://", URL_REDIS, 6379},
    {"rediss://", URL_REDISS, 6379}, {"unix://", URL_UNIX, 0},
};

static bool is_websocket(const struct url *url) { return url->scheme == URL_WS || url->scheme == URL_WSS; }

/* Copies n bytes as text. Returns false if they do not fit. */
static bool copy(char *out, size_t out_bytes, const char *text, size_t n)
{
    if (n >= out_bytes)
        return false;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes n bytes (RFC 3986 §2.1). Refuses a NUL, because the text after it would be lost silently. */
static bool decode(char *out, size_t out_bytes, const char *text, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0 || (high | low) == 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (len + 1 >= out_bytes)
            return false;
        out[len++] = c;
    }
    out[len] = '\0';
    return true;
}

/* Parses "user:password@", up to the last '@' of the authority. Returns where the rest begins, or NULL with *why. */
static const char *parse_credentials(const char *at, const char *end, struct url *url, struct error *why)
{
    const char *host = at;
    for (const char *p = at; p < end; p++)
        if (*p == '@')
            host = p + 1;
    if (host == at)
        return at;
    if (is_websocket(url)) {
        error_set(why, "the URL has a user name, expected none: the firehose is public");
        return NULL;
    }
    const char *last = host - 1, *colon = memchr(at, ':', (size_t)(last - at));
    const char *user_end = colon != NULL ? colon : last;
    bool ok = decode(url->user, sizeof url->user, at, (size_t)(user_end - at));
    if (ok && colon != NULL)
        ok = decode(url->password, sizeof url->password, colon + 1, (size_t)(last - colon - 1));
    if (!ok) {
        error_set(why, "the user or the password is too long, or its percent-encoding is wrong");
        return NULL;
    }
    return host;
}

static bool parse_number(const char *text, size_t n, long max, long *value)
{
    *value = 0;
    if (n == 0 || n > 6)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return *value <= max;
}

/* Checks the text between brackets (RFC 3986 §3.2.2). The name of an interface may follow a '%'. */
static bool is_ipv6(const char *text, size_t n)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    const char *zone = memchr(text, '%', n);
    return copy(address, sizeof address, text, zone != NULL ? (size_t)(zone - text) : n) &&
           inet_pton(AF_INET6, address, &ignored) == 1;
}

static bool parse_host(const char *at, const char *end, struct url *url, struct error *why)
{
    const char *host = at, *host_end, *port = NULL;
    if (at < end && *at == '[') {
        host = at + 1;
        host_end = memchr(host, ']', (size_t)(end - host));
        if (host_end == NULL) {
            error_set(why, "'[' without ']', expected [IPv6 address]");
            return false;
        }
        if (!is_ipv6(host, (size_t)(host_end - host))) {
            error_set(why, "'%.*s' is not an IPv6 address", (int)(host_end - host), host);
            return false;
        }
        if (host_end + 1 < end && host_end[1] != ':') {
            error_set(why, "text after ']', expected ':port' or nothing");
            return false;
        }
        port = host_end + 1 < end ? host_end + 2 : NULL;
    } else {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        host_end = colon != NULL ? colon : end;
        port = colon != NULL ? colon + 1 : NULL;
    }
    if (host_end == host || !copy(url->host, sizeof url->host, host, (size_t)(host_end - host))) {
        error_set(why, host_end == host ? "the URL has no host" : "the host is too long");
        return false;
    }
    long number = url->port;
    if (port != NULL && (!parse_number(port, (size_t)(end - port), 65535, &number) || number == 0)) {
        error_set(why, "'%.20s' is not a port, expected 1 to 65535", port);
        return false;
    }
    url->port = (uint16_t)number;
    return true;
}

static bool parse_database(const char *text, size_t n, struct url *url, struct error *why)
{
    long number;
    if (!parse_number(text, n, 100000, &number)) {
        error_set(why, "'%.*s' is not a database, expected its number", (int)n, text);
        return false;
    }
    url->database = (int)number;
    return true;
}

/* Parses the text after the authority: a WebSocket's path and query, or a Redis database ("/2", "?db=2"). */
static bool parse_tail(const char *at, struct url *url, struct error *why)
{
    const char *query = strchr(at, '?');
    size_t path_len = query != NULL ? (size_t)(query - at) : strlen(at);
    if (strchr(at, '#') != NULL) {
        error_set(why, "the URL has a '#', expected none");
        return false;
    }
    if (is_websocket(url)) {
        bool rooted = *at == '/';
        if (!rooted)
            strcpy(url->path, "/");
        if (!copy(url->path + !rooted, sizeof url->path - !rooted, at, strlen(at))) {
            error_set(why, "the path is too long");
            return false;
        }
        return true;
    }
    if (url->scheme == URL_UNIX) {
        if (path_len < 2 || !decode(url->path, sizeof url->path, at, path_len)) {
            error_set(why, "the URL has no path of a socket, expected unix:///path?db=n");
            return false;
        }
    } else if (path_len > 1 && !parse_database(at + 1, path_len - 1, url, why)) {
        return false;
    }
    if (query == NULL)
        return true;
    if (strncmp(query, "?db=", 4) != 0) {
        error_set(why, "'%s' is not known, expected ?db=n or nothing", query);
        return false;
    }
    return parse_database(query + 4, strlen(query + 4), url, why);
}

static bool parse(const char *text, struct url *url, struct error *why)
{
    *url = (struct url){0};
    const char *authority = NULL;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(text, schemes[i].text, strlen(schemes[i].text)) == 0) {
            authority = text + strlen(schemes[i].text);
            url->scheme = schemes[i].scheme;
            url->port = schemes[i].port;
        }
    if (authority == NULL) {
        error_set(why, "the URL has no known scheme, expected ws://, wss://, redis://, rediss:// or unix://");
        return false;
    }
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f) {
            error_set(why, "the URL has a space or a control character");
            return false;
        }
    const char *end = authority + strcspn(authority, "/?#");
    const char *host = parse_credentials(authority, end, url, why);
    if (host == NULL)
        return false;
    if (url->scheme == URL_UNIX && host != end) {
        error_set(why, "the URL of a unix socket has a host, expected unix:///path?db=n");
        return false;
    }
    if (url->scheme != URL_UNIX && !parse_host(host, end, url, why))
        return false;
    return parse_tail(end, url, why);
}

/* Returns true if a wrong URL may stand in a message. A text without a scheme, with an '@' or with a second ':' may
 * have a password anywhere. */
static bool may_be_shown(const char *text)
{
    const char *scheme = strstr(text, "://");
    return scheme != NULL && strchr(scheme + 3, ':') == NULL && strchr(text, '@') == NULL;
}

bool url_parse(const char *text, struct url *url, struct error *why)
{
    if (parse(text, url, why))
        return true;
    if (may_be_shown(text))
        error_context(why, "'%.120s'", text);
    return false;
}

bool url_is_tls(const struct url *url) { return url->scheme == URL_WSS || url->scheme == URL_REDISS; }

const char *url_authority(const struct url *url, char *out, size_t out_bytes)
{
    if (url->scheme == URL_UNIX)
        snprintf(out, out_bytes, "%s", url->path);
    else
        snprintf(out, out_bytes, strchr(url->host, ':') != NULL ? "[%s]:%u" : "%s:%u", url->host, url->port);
    return out;
}

const char *url_redacted(const struct url *url, char *out, size_t out_bytes)
{
    char authority[URL_PATH_BYTES + 16], secret[URL_SECRET_BYTES + 8] = "", tail[URL_PATH_BYTES] = "";
    if (url->password[0] != '\0' || url->user[0] != '\0')
        snprintf(secret, sizeof secret, "%s%s@", url->user, url->password[0] != '\0' ? ":***" : "");
    if (is_websocket(url))
        snprintf(tail, sizeof tail, "%s", url->path);
    else if (url->database != 0)
        snprintf(tail, sizeof tail, url->scheme == URL_UNIX ? "?db=%d" : "/%d", url->database);
    snprintf(out, out_bytes, "%s%s%s%s", schemes[url->scheme].text, secret,
             url_authority(url, authority, sizeof authority), tail);
    return out;
}
