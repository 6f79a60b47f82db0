#include "config.h"

#include "http/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http_clients.h"

enum {
    HEAD_MAX_BYTES = 8192,
    BODY_MAX_BYTES = 1024, /* read and thrown away, so that a POST gets a proper answer */
    IDLE_S = 10, /* without a byte in either direction */
    CACHE_MS = 100,
    BACKLOG = 16,
    PAGES_MAX = 16,
};

struct cached {
    struct buffer body;
    int status;
    int64_t made_ms;
};

struct http {
    struct evhttp *server;
    struct http_clients *clients;
    const struct http_page *pages;
    void *arg;
    char *policy;
    struct cached cache[PAGES_MAX];
};

/* ---- answers ---- */

static void header(struct evhttp_request *request, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static void answer(struct http *h, struct evhttp_request *request, int status, const char *type, const void *body,
                   size_t len)
{
    struct evbuffer *out = evbuffer_new();
    const char *reason = status == 200   ? "OK"
                         : status == 404 ? "Not Found"
                         : status == 405 ? "Method Not Allowed"
                                         : "Service Unavailable";
    header(request, "Content-Type", type);
    header(request, "Cache-Control", "no-store");
    header(request, "X-Content-Type-Options", "nosniff");
    header(request, "Referrer-Policy", "no-referrer");
    header(request, "Cross-Origin-Resource-Policy", "same-origin");
    header(request, "Content-Security-Policy", h->policy);
    if (out == NULL || evbuffer_add(out, body, len) < 0)
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
    else
        evhttp_send_reply(request, status, reason, out);
    if (out != NULL)
        evbuffer_free(out);
}

static void say(struct http *h, struct evhttp_request *request, int status, const char *text)
{
    answer(h, request, status, "text/plain; charset=utf-8", text, strlen(text));
}

static const struct cached *render(struct http *h, size_t page)
{
    struct cached *c = &h->cache[page];
    int64_t now = clock_monotonic_ms();
    if (c->made_ms == 0 || now - c->made_ms >= CACHE_MS) {
        buffer_clear(&c->body);
        c->status = h->pages[page].render(h->arg, &c->body);
        c->made_ms = now;
        if (c->body.failed) {
            buffer_clear(&c->body);
            c->status = HTTP_SERVUNAVAIL;
        }
    }
    return c;
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct http *h = arg;
    enum evhttp_cmd_type method = evhttp_request_get_command(request);
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        header(request, "Allow", "GET, HEAD");
        say(h, request, HTTP_BADMETHOD, "this is only for reading: GET or HEAD\n");
        return;
    }
    for (size_t i = 0; path != NULL && h->pages[i].path != NULL; i++)
        if (strcmp(h->pages[i].path, path) == 0) {
            const struct cached *c = render(h, i);
            answer(h, request, c->status, h->pages[i].type, c->body.data, c->body.len);
            return;
        }
    say(h, request, HTTP_NOTFOUND, "not here; / is the status page\n");
}

/* ---- listening ---- */

bool http_parse_address(const char *text, struct sockaddr_storage *address, socklen_t *len, struct error *why)
{
    char numeric[128];
    const char *colon = strrchr(text, ':'), *port = colon != NULL ? colon + 1 : text;
    int host_len = colon != NULL ? (int)(colon - text) : 0, room = (int)sizeof *address;
    bool any = host_len == 1 && text[0] == '*', local = host_len == 0 || strncmp(text, "localhost:", 10) == 0;
    char *end;
    long number = strtol(port, &end, 10);
    memset(address, 0, sizeof *address);
    if (*port < '0' || *port > '9' || *end != '\0' || number < 1 || number > 65535 || host_len > 64) {
        error_set(why, "'%.100s' is no place to listen on, expected port, address:port or [address]:port", text);
        return false;
    }
    const char *host = any ? "0.0.0.0" : local ? "127.0.0.1" : text;
    snprintf(numeric, sizeof numeric, "%.*s:%ld", any || local ? (int)strlen(host) : host_len, host, number);
    if (evutil_parse_sockaddr_port(numeric, (struct sockaddr *)address, &room) < 0) {
        error_set(why, "'%.100s' is no numeric address, expected the likes of 127.0.0.1:%ld or [::1]:%ld", text, number,
                  number);
        return false;
    }
    *len = (socklen_t)room;
    return true;
}

static struct evconnlistener *listen_on(struct event_base *base, const char *text, struct error *why)
{
    struct sockaddr_storage address;
    socklen_t len;
    if (!http_parse_address(text, &address, &len, why))
        return NULL;
    struct evconnlistener *listener = evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
        (struct sockaddr *)&address, (int)len);
    if (listener == NULL)
        error_set(why, "cannot listen there: %s", strerror(errno));
    return listener;
}

struct http *http_new(struct event_base *base, const char *address, const struct http_page *pages, void *arg,
                      const char *policy, struct error *why)
{
    struct evconnlistener *listener = listen_on(base, address, why);
    struct http *h = listener != NULL ? calloc(1, sizeof *h) : NULL;
    if (h != NULL) {
        *h = (struct http){.pages = pages, .arg = arg, .policy = strdup(policy)};
        h->server = evhttp_new(base);
        h->clients = http_clients_new(base);
    }
    if (h == NULL || h->server == NULL || h->clients == NULL || h->policy == NULL ||
        evhttp_bind_listener(h->server, listener) == NULL) {
        if (listener != NULL) {
            error_set(why, "out of memory");
            evconnlistener_free(listener);
        }
        http_free(h);
        error_context(why, "http_listen %s", address);
        return NULL;
    }
    evhttp_set_max_headers_size(h->server, HEAD_MAX_BYTES);
    evhttp_set_max_body_size(h->server, BODY_MAX_BYTES);
    evhttp_set_timeout(h->server, IDLE_S);
    /* Every method that libevent can name: on_request() refuses the others properly. */
    evhttp_set_allowed_methods(h->server, 0x1ff);
    evhttp_set_bevcb(h->server, http_clients_admit, h->clients);
    evhttp_set_gencb(h->server, on_request, h);
    return h;
}

void http_free(struct http *h)
{
    if (h == NULL)
        return;
    if (h->server != NULL)
        evhttp_free(h->server);
    http_clients_free(h->clients);
    for (size_t i = 0; i < PAGES_MAX; i++)
        buffer_fini(&h->cache[i].body);
    free(h->policy);
    free(h);
}
