/* url.h: the URLs that a configuration may have: ws, wss, redis, rediss, unix (RFC 3986; those of Redis as registered
 * with IANA, unix:///path?db=n as redis-py and ioredis read it).
 *
 * The net room: bytes to and from other machines: URL, connecting, TLS, WebSocket. It knows sockets, libevent (for
 * connecting), OpenSSL and RFC 6455. It must not know frames of the firehose or commands of Redis. */
#ifndef FIREHOSED_NET_URL_H
#define FIREHOSED_NET_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum url_scheme { URL_WS, URL_WSS, URL_REDIS, URL_REDISS, URL_UNIX };

enum { URL_HOST_BYTES = 256, URL_PATH_BYTES = 1024, URL_SECRET_BYTES = 512 };

struct url {
    enum url_scheme scheme;
    char host[URL_HOST_BYTES]; /* name or address; an IPv6 address without its brackets; "" for unix */
    uint16_t port;             /* the scheme's default if the URL has none: 80, 443, 6379, 6379 */
    char path[URL_PATH_BYTES]; /* ws: path and query, at least "/"; unix: the socket's path; redis: "" */
    char user[URL_SECRET_BYTES];     /* percent-decoded; "" if absent */
    char password[URL_SECRET_BYTES]; /* percent-decoded; "" if absent */
    int database;                    /* redis and unix; 0 if absent */
};

/* Parses a URL. Returns false and fills *why if it is wrong; *why never quotes a password. */
bool url_parse(const char *text, struct url *url, struct error *why);

/* Returns true for the schemes that use TLS. */
bool url_is_tls(const struct url *url);

/* Writes "host:port", "[v6]:port" or the path of a unix socket, for logs: never a secret. Returns `out`. */
const char *url_authority(const struct url *url, char *out, size_t out_bytes);

/* Writes the whole URL with "***" for the password. Returns `out`. */
const char *url_redacted(const struct url *url, char *out, size_t out_bytes);

#endif
