#include "config.h"

#include "master/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REQUEST_MAX_BYTES = 64 * 1024,
    UNREAD_MAX_BYTES = 1024 * 1024, /* of answers that a client does not fetch */
    CLIENT_TIMEOUT_S = 30,
    CLIENTS_MAX = 64,
    SOCKET_MODE = 0660,
};

struct client {
    LIST_ENTRY(client) link;
    struct control *control;
    struct bufferevent *stream;
};

struct control {
    LIST_HEAD(, client) clients;
    unsigned client_count;
    struct event_base *base;
    struct evconnlistener *listener;
    control_handler *handler;
    void *arg;
    char path[108];
};

static void client_free(struct client *client)
{
    LIST_REMOVE(client, link);
    client->control->client_count--;
    bufferevent_free(client->stream);
    free(client);
}

static void send_json(struct client *client, json_t *answer)
{
    char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
    if (text != NULL) {
        bufferevent_write(client->stream, text, strlen(text));
        bufferevent_write(client->stream, "\n", 1);
    }
    free(text);
    json_decref(answer);
}

static void answer_line(struct client *client, const char *line)
{
    struct error why = {.text = "no memory"};
    json_error_t syntax;
    json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, &syntax), *result = NULL;
    const char *command = json_string_value(json_object_get(request, "command"));
    if (request == NULL)
        error_set(&why, "not JSON: %s", syntax.text);
    else if (command == NULL)
        error_set(&why, "no command, expected {\"command\":\"status\"}");
    else
        result = client->control->handler(client->control->arg, command, request, &why);
    if (result != NULL)
        send_json(client, json_pack("{s:b,s:o}", "ok", 1, "result", result));
    else
        send_json(client, json_pack("{s:b,s:s}", "ok", 0, "error", why.text));
    json_decref(request);
}

static void on_line(struct bufferevent *stream, void *arg)
{
    struct client *client = arg;
    struct evbuffer *input = bufferevent_get_input(stream), *output = bufferevent_get_output(stream);
    char *line;
    while (evbuffer_get_length(output) <= UNREAD_MAX_BYTES &&
           (line = evbuffer_readln(input, NULL, EVBUFFER_EOL_LF)) != NULL) {
        answer_line(client, line);
        free(line);
    }
    if (evbuffer_get_length(input) > REQUEST_MAX_BYTES || evbuffer_get_length(output) > UNREAD_MAX_BYTES)
        client_free(client);
}

static void on_client_event(struct bufferevent *stream, short what, void *arg)
{
    (void)stream;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
        client_free(arg);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
                      void *arg)
{
    (void)listener;
    (void)address;
    (void)len;
    struct control *c = arg;
    struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    struct client *client = c->client_count < CLIENTS_MAX ? malloc(sizeof *client) : NULL;
    struct bufferevent *stream =
        client != NULL ? bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (stream == NULL) {
        free(client);
        close(fd);
        return;
    }
    *client = (struct client){.control = c, .stream = stream};
    LIST_INSERT_HEAD(&c->clients, client, link);
    c->client_count++;
    bufferevent_setcb(stream, on_line, NULL, on_client_event, client);
    bufferevent_set_timeouts(stream, &timeout, &timeout);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

/* A socket that nobody listens on is left over from a process that was killed; one that answers is in use. */
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
        fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0;
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
    while (!LIST_EMPTY(&c->clients))
        client_free(LIST_FIRST(&c->clients));
    evconnlistener_free(c->listener);
    unlink(c->path);
    free(c);
}
