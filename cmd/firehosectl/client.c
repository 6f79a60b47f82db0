#include "config.h"

#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct client {
    int fd;
    FILE *in;
    char *line; /* the newest one */
    size_t line_size;
    int timeout_s;
};

static struct client *client_new(int fd)
{
    struct client *c = malloc(sizeof *c);
    FILE *in = fdopen(fd, "r");
    if (c == NULL || in == NULL) {
        free(c);
        if (in != NULL)
            fclose(in);
        else
            close(fd);
        return NULL;
    }
    *c = (struct client){.fd = fd, .in = in};
    return c;
}

struct client *client_open(const char *path, enum client_result *result, struct error *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    *result = CLIENT_ABSENT;
    if (strlen(path) >= sizeof address.sun_path) {
        error_set(why, "%s: the path is too long for a socket", path);
        return NULL;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout); /* for connect(), too */
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        error_set(why, "%s: %s", path,
                  error == ENOENT         ? "no firehosed has this socket (is it started? another -s?)"
                  : error == ECONNREFUSED ? "firehosed has ended and left its socket behind (start it again)"
                  : error == EACCES       ? "you may not use this socket (run as firehosed's user, or as root)"
                  : error == EAGAIN       ? "firehosed does not answer: it is busy or stopped"
                                          : strerror(error));
        if (error == EAGAIN)
            *result = CLIENT_SILENT;
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct client *c = client_new(fd);
    if (c == NULL)
        error_set(why, "out of memory");
    else
        client_set_timeout(c, CLIENT_TIMEOUT_S);
    return c;
}

void client_close(struct client *c)
{
    if (c == NULL)
        return;
    fclose(c->in);
    free(c->line);
    free(c);
}

const char *client_item_text(const struct client *c, size_t *len)
{
    static const char before[] = "\"item\":";
    const char *item = strstr(c->line, before);
    *len = item != NULL ? strcspn(item, "\n") - (sizeof before - 1) - 1 : 0; /* without the line's own brace */
    return item != NULL ? item + sizeof before - 1 : "";
}

void client_set_timeout(struct client *c, int seconds)
{
    struct timeval timeout = {.tv_sec = seconds};
    c->timeout_s = seconds;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

enum client_result client_send(struct client *c, const char *command, json_t *args, struct error *why)
{
    json_t *request = json_pack("{s:i,s:s}", "v", 1, "command", command);
    if (args != NULL)
        json_object_set_new(request, "args", args);
    char *line = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (line == NULL) {
        error_set(why, "cannot write the request: an argument is not UTF-8");
        return CLIENT_REFUSED;
    }
    bool sent = send_all(c->fd, line, strlen(line)) && send_all(c->fd, "\n", 1);
    free(line);
    if (sent)
        return CLIENT_OK;
    error_set(why, "firehosed does not take the request: %s", strerror(errno));
    return CLIENT_SILENT;
}

static json_t *read_line(struct client *c, struct error *why)
{
    errno = 0;
    ssize_t len = getline(&c->line, &c->line_size, c->in);
    json_t *json = len > 0 ? json_loadb(c->line, (size_t)len, JSON_ALLOW_NUL, NULL) : NULL;
    if (json == NULL && len > 0) /* an event may have integers above 2^63 */
        json = json_loadb(c->line, (size_t)len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    if (len <= 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        error_set(why, "no answer within %d s: firehosed is busy or stopped", c->timeout_s);
    else if (len <= 0)
        error_set(why, "firehosed closed the connection: it is ending, or has too many clients");
    else if (json == NULL)
        error_set(why, "the answer is not JSON: is this the control socket of firehosed?");
    return json;
}

enum client_result client_receive(struct client *c, json_t **item, json_t **answer, struct error *why)
{
    *item = *answer = NULL;
    json_t *line = read_line(c, why);
    if (line == NULL)
        return CLIENT_SILENT;
    const char *reason = json_string_value(json_object_get(line, "error"));
    enum client_result result = CLIENT_OK;
    if (json_object_get(line, "item") != NULL) {
        *item = json_incref(json_object_get(line, "item"));
    } else if (json_is_true(json_object_get(line, "ok")) && json_object_get(line, "result") != NULL) {
        *answer = json_incref(json_object_get(line, "result"));
    } else {
        error_set(why, "%s", reason != NULL ? reason : "the answer does not follow the control protocol");
        result = CLIENT_REFUSED;
    }
    json_decref(line);
    return result;
}

enum client_result client_ask(struct client *c, const char *command, json_t *args, json_t **answer,
                              struct error *why)
{
    json_t *item;
    enum client_result result = client_send(c, command, args, why);
    for (*answer = NULL; result == CLIENT_OK && *answer == NULL; json_decref(item))
        result = client_receive(c, &item, answer, why);
    return result;
}
