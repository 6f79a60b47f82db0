#include "config.h"

#include "control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/text.h"

enum {
    /* The most that a client may leave unread: the largest frame in base64 fits. */
    UNREAD_MAX_BYTES = 8 * 1024 * 1024,
    ITEMS_MAX_BYTES = 512 * 1024, /* more unread than this: items are left out */
    ASKING_MAX_BYTES = 64 * 1024, /* more unread than this: its next requests wait */
    UNREAD_OF_ALL_BYTES = 16 * 1024 * 1024, /* two of the largest answers */
    CLIENT_TIMEOUT_S = 30,
    ASKING_TIMEOUT_S = 10, /* of a client that asks on and reads nothing */
    CLIENTS_MAX = 64,
    CALLS_MAX = 16, /* of one client, that wait for their answer */
    SOCKET_MODE = 0660,
};

struct client {
    LIST_ENTRY(client) link;
    struct control *control;
    struct bufferevent *stream;
    struct ucred peer;
    unsigned calls;
    int64_t unread_since_ms; /* since when it has had unread answers at all times */
    bool is_dropped; /* it is closed in the next turn of the loop */
    bool is_held; /* its requests wait until it reads */
    bool has_ended; /* its side is shut: it is closed when all is answered */
};

struct control_call {
    LIST_ENTRY(control_call) link;
    struct client *client; /* NULL: gone */
    struct control_request request;
    void (*gone)(void *arg, struct control_call *call);
    void *gone_arg;
};

struct control {
    LIST_HEAD(, client) clients;
    LIST_HEAD(, control_call) calls;
    unsigned client_count;
    struct event_base *base;
    struct evconnlistener *listener;
    control_handler *handler;
    void *arg;
    char path[108];
};

/* ---- clients ---- */

static void client_free(struct client *client)
{
    struct control_call *call = LIST_FIRST(&client->control->calls), *next;
    for (; call != NULL; call = next) {
        next = LIST_NEXT(call, link);
        if (call->client == client)
            call->client = NULL;
    }
    /* Begins at the front each time: a hook may end other calls than its own. */
    for (call = LIST_FIRST(&client->control->calls); call != NULL;) {
        if (call->client != NULL || call->gone == NULL) {
            call = LIST_NEXT(call, link);
            continue;
        }
        void (*gone)(void *, struct control_call *) = call->gone;
        call->gone = NULL;
        gone(call->gone_arg, call);
        call = LIST_FIRST(&client->control->calls);
    }
    LIST_REMOVE(client, link);
    client->control->client_count--;
    bufferevent_free(client->stream);
    free(client);
}

static void log_closing(const struct client *client, const char *why)
{
    log_warn("control: closing the connection of user %d, pid %d: %s", (int)client->peer.uid, (int)client->peer.pid,
             why);
}

/* Not at once: a caller up the stack may be about to use it. But its memory is free now. */
static void drop_soon(struct client *client, const char *why)
{
    struct evbuffer *output = bufferevent_get_output(client->stream);
    log_closing(client, why);
    client->is_dropped = true;
    bufferevent_disable(client->stream, EV_READ | EV_WRITE);
    evbuffer_unfreeze(output, 1);
    evbuffer_drain(output, evbuffer_get_length(output));
    bufferevent_trigger_event(client->stream, BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
}

static size_t unread_bytes(const struct client *client)
{
    return evbuffer_get_length(bufferevent_get_output(client->stream));
}

/* All clients together have a limit. Beyond it, the client goes that has had much unread for the longest time: one that
 * reads is soon through with its answer, however large. */
static void bound_all(struct control *control)
{
    size_t all = 0;
    struct client *client, *oldest = NULL;
    LIST_FOREACH(client, &control->clients, link)
    {
        all += unread_bytes(client);
        if (unread_bytes(client) > ASKING_MAX_BYTES &&
            (oldest == NULL || client->unread_since_ms < oldest->unread_since_ms))
            oldest = client;
    }
    if (all > UNREAD_OF_ALL_BYTES && oldest != NULL)
        drop_soon(oldest, "it is the slowest to read, and all clients together have more than 16 MB of unread answers");
}

/* Sends one line, with `last` in front of its last `braces` characters. Takes the object over. A line is sent whole or
 * not at all. */
static void send_line(struct client *client, json_t *line, const struct buffer *last, size_t braces)
{
    char *text = NULL;
    size_t front = 0;
    if (client->is_dropped) {
        json_decref(line);
        return;
    }
    if (unread_bytes(client) == 0)
        client->unread_since_ms = clock_monotonic_ms();
    if (line != NULL && (text = json_dumps(line, JSON_COMPACT | JSON_NUMBERS)) != NULL)
        front = strlen(text) - braces;
    if (unread_bytes(client) > UNREAD_MAX_BYTES)
        drop_soon(client, "it has more than 8 MB of unread answers");
    else if (text == NULL || last->failed || bufferevent_write(client->stream, text, front) < 0 ||
             bufferevent_write(client->stream, last->data, last->len) < 0 ||
             bufferevent_write(client->stream, text + front, braces) < 0 ||
             bufferevent_write(client->stream, "\n", 1) < 0)
        drop_soon(client, "out of memory");
    free(text);
    json_decref(line);
    bound_all(client->control);
}

/* ---- calls ---- */

static void call_free(struct control_call *call)
{
    LIST_REMOVE(call, link);
    control_request_fini(&call->request);
    free(call);
}

/* {"v":1,"id":…, then the members of `rest`, which is taken over. */
static void send_with(struct client *client, json_t *id, json_t *rest, const struct buffer *last, size_t braces)
{
    json_t *line = json_pack("{s:i}", "v", CONTROL_VERSION);
    if (line != NULL && id != NULL)
        json_object_set(line, "id", id);
    if (rest == NULL || json_object_update(line, rest) < 0) {
        json_decref(line);
        line = NULL;
    }
    json_decref(rest);
    send_line(client, line, last, braces);
}

static void send_answer(struct client *client, json_t *id, json_t *rest)
{
    const struct buffer nothing = {0};
    send_with(client, id, rest, &nothing, 0);
}

static void end_call(struct control_call *call, json_t *rest)
{
    struct client *client = call->client;
    if (client != NULL) {
        send_answer(client, call->request.id, rest);
        if (--client->calls == 0 && client->has_ended)
            bufferevent_trigger(client->stream, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
    } else {
        json_decref(rest);
    }
    call_free(call);
}

static json_t *refusal(enum control_code code, const char *why)
{
    return json_pack("{s:b,s:s,s:s}", "ok", 0, "code", control_code_name(code), "error", why);
}

void control_answer(struct control_call *call, json_t *result)
{
    end_call(call, result != NULL ? json_pack("{s:b,s:o}", "ok", 1, "result", result)
                                  : refusal(CONTROL_FAILED, "out of memory"));
}

void control_refuse(struct control_call *call, enum control_code code, const char *format, ...)
{
    struct error why;
    va_list args;
    va_start(args, format);
    text_vformat(why.text, sizeof why.text, format, args);
    va_end(args);
    end_call(call, refusal(code, why.text));
}

bool control_item(struct control_call *call, json_t *item)
{
    if (item == NULL || call->client == NULL || unread_bytes(call->client) > ITEMS_MAX_BYTES) {
        json_decref(item);
        return false;
    }
    send_answer(call->client, call->request.id, json_pack("{s:o}", "item", item));
    return true;
}

bool control_item_with(struct control_call *call, json_t *item, const char *name, const void *json, size_t len)
{
    struct buffer last;
    json_error_t ignored;
    /* Parsed only to see that it is one value, on one line. As a real, an integer of any size passes. */
    json_t *value = json_loadb(json, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &ignored);
    bool can_go = value != NULL && item != NULL && memchr(json, '\n', len) == NULL && call->client != NULL &&
                  unread_bytes(call->client) <= ITEMS_MAX_BYTES;
    json_decref(value);
    if (!can_go) {
        json_decref(item);
        return false;
    }
    buffer_init(&last);
    buffer_append_format(&last, ",\"%s\":", name);
    buffer_append(&last, json, len);
    send_with(call->client, call->request.id, json_pack("{s:o}", "item", item), &last, 2);
    buffer_fini(&last);
    return true;
}

void control_when_gone(struct control_call *call, void (*gone)(void *arg, struct control_call *call), void *arg)
{
    call->gone = gone;
    call->gone_arg = arg;
}

const char *control_call_command(const struct control_call *call) { return call->request.command; }

const json_t *control_call_arguments(const struct control_call *call) { return call->request.args; }

const json_t *control_call_argument(const struct control_call *call, const char *name)
{
    return json_object_get(call->request.args, name);
}

bool control_call_peer(const struct control_call *call, struct ucred *peer)
{
    if (call->client != NULL)
        *peer = call->client->peer;
    return call->client != NULL;
}

static void take_line(struct client *client, const char *line, size_t len)
{
    struct control_request request;
    enum control_code code;
    struct error why;
    struct control_call *call = NULL;
    bool ok = control_request_parse(line, len, &request, &code, &why);
    if (ok && client->calls >= CALLS_MAX) {
        ok = false;
        code = CONTROL_TOO_MANY;
        error_set(&why, "%d requests on this connection wait for their answers already", CALLS_MAX);
    }
    if (ok && (call = calloc(1, sizeof *call)) == NULL) {
        ok = false;
        code = CONTROL_FAILED;
        error_set(&why, "out of memory");
    }
    if (!ok) {
        send_answer(client, request.id, refusal(code, why.text));
        control_request_fini(&request);
        return;
    }
    *call = (struct control_call){.client = client, .request = request};
    client->calls++;
    LIST_INSERT_HEAD(&client->control->calls, call, link);
    client->control->handler(client->control->arg, call);
}

/* ---- the socket's events ---- */

static void set_timeout(struct client *client, int seconds)
{
    struct timeval reading = {.tv_sec = CLIENT_TIMEOUT_S}, writing = {.tv_sec = seconds};
    bufferevent_set_timeouts(client->stream, &reading, &writing);
}

/* A client that does not read its answers gets no further ones made. */
static void hold(struct client *client)
{
    client->is_held = true;
    bufferevent_disable(client->stream, EV_READ);
    set_timeout(client, ASKING_TIMEOUT_S);
}

static void on_line(struct bufferevent *stream, void *arg)
{
    struct client *client = arg;
    struct evbuffer *input = bufferevent_get_input(stream);
    char *line = NULL;
    size_t len;
    while (!client->is_dropped && !client->has_ended && unread_bytes(client) <= ASKING_MAX_BYTES &&
           (line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF)) != NULL) {
        take_line(client, line, len);
        free(line);
    }
    if (client->is_dropped || client->has_ended)
        return;
    if (unread_bytes(client) > ASKING_MAX_BYTES)
        hold(client);
    else if (evbuffer_get_length(input) > CONTROL_REQUEST_MAX_BYTES) {
        send_answer(client, NULL, refusal(CONTROL_BAD_REQUEST, "the line is too long for a request"));
        bufferevent_disable(stream, EV_READ); /* nobody can tell where the next one begins */
        client->has_ended = true;
    }
}

/* Everything is sent. */
static void on_sent(struct bufferevent *stream, void *arg)
{
    struct client *client = arg;
    if (client->is_held && !client->is_dropped && unread_bytes(client) == 0) {
        client->is_held = false;
        set_timeout(client, CLIENT_TIMEOUT_S);
        bufferevent_enable(stream, EV_READ);
        on_line(stream, client);
    }
    if (client->has_ended && client->calls == 0 && unread_bytes(client) == 0)
        client_free(client);
}

static void on_client_event(struct bufferevent *stream, short what, void *arg)
{
    struct client *client = arg;
    bool idle = (what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING);
    if ((what & BEV_EVENT_EOF) && (client->calls > 0 || unread_bytes(client) > 0)) {
        client->has_ended = true; /* it may have closed only its own side; if not, writing will tell */
        return;
    }
    if (idle && client->calls > 0) { /* it waits for an answer */
        bufferevent_enable(stream, EV_READ);
        return;
    }
    if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_WRITING))
        log_closing(client, "it does not read its answers");
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
        client_free(client);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
                      void *arg)
{
    (void)listener;
    (void)address;
    (void)len;
    struct control *c = arg;
    struct client *client = c->client_count < CLIENTS_MAX ? malloc(sizeof *client) : NULL;
    struct bufferevent *stream =
        client != NULL ? bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (stream == NULL) {
        free(client);
        close(fd);
        return;
    }
    *client = (struct client){.control = c, .stream = stream, .peer = {.pid = -1}};
    socklen_t size = sizeof client->peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &size) < 0)
        client->peer = (struct ucred){.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
    LIST_INSERT_HEAD(&c->clients, client, link);
    c->client_count++;
    bufferevent_setcb(stream, on_line, on_sent, on_client_event, client);
    set_timeout(client, CLIENT_TIMEOUT_S);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

/* ---- listening ---- */

/* If nobody listens on a socket, a killed process has left it over; if it answers, it is in use. */
static bool is_in_use(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool in_use =
        fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    return in_use;
}

static int listen_on(const char *path, struct error *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        error_set(why, "control socket %s: the path is too long", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (is_in_use(&address)) {
        error_set(why, "control socket %s: another firehosed answers there", path);
        return -1;
    }
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(0777 & ~SOCKET_MODE);
    bool ok =
        fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, CLIENTS_MAX) == 0;
    umask(before);
    if (!ok) {
        error_set(why, "control socket %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

struct control *control_new(struct event_base *base, const char *path, control_handler *handler, void *arg,
                            struct error *why)
{
    int fd = listen_on(path, why);
    if (fd < 0)
        return NULL;
    struct control *c = calloc(1, sizeof *c);
    if (c != NULL) {
        *c = (struct control){.base = base, .handler = handler, .arg = arg};
        memcpy(c->path, path, strlen(path) + 1);
        c->listener =
            evconnlistener_new(base, on_client, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    }
    if (c == NULL || c->listener == NULL) {
        error_set(why, "control socket %s: out of memory", path);
        close(fd);
        unlink(path);
        free(c);
        return NULL;
    }
    return c;
}

void control_free(struct control *c)
{
    if (c == NULL)
        return;
    for (struct control_call *call; (call = LIST_FIRST(&c->calls)) != NULL;)
        call_free(call);
    for (struct client *client; (client = LIST_FIRST(&c->clients)) != NULL; client_free(client)) {
        struct evbuffer *output = bufferevent_get_output(client->stream);
        evbuffer_unfreeze(output, 1); /* otherwise only the loop takes from its front, and that has ended */
        evbuffer_write(output, bufferevent_getfd(client->stream));
    }
    evconnlistener_free(c->listener);
    unlink(c->path);
    free(c);
}
