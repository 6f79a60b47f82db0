#include "config.h"

#include "redis/client.h"

#include <hiredis/read.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "redis/replies.h"

enum client_state { CLIENT_CLOSED, CLIENT_HANDSHAKE, CLIENT_LOGIN, CLIENT_READY };

enum {
    READ_BYTES = 64 * 1024,
    OUT_KEEP_BYTES = 64 * 1024,
    READS_PER_TURN = 32, /* then others get theirs: a server may send faster than it is read */
    LOGIN_STEPS = 3,
    /* What a server may answer with. The largest that is asked for is a page of dead letters; EXEC has an element for
     * each event of a batch. */
    REPLY_MAX_BYTES = 64 << 20,
    REPLY_MAX_ELEMENTS = 1 << 20,
};

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

struct redis_client {
    enum client_state state;
    struct stream stream;
    redisReader *reader;
    redisReplyObjectFunctions functions; /* hiredis' own but for arrays */
    void *(*create_array)(const redisReadTask *, element_count);
    bool wants_write;
    struct buffer out; /* commands not yet written; in front of `borrowed` */
    const uint8_t *borrowed;
    size_t borrowed_len;
    const char *login[LOGIN_STEPS]; /* what the outstanding login replies answer, in order */
    int login_count, login_done;
};

struct redis_client *redis_client_new(void)
{
    struct redis_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    stream_clear(&c->stream);
    buffer_init(&c->out);
    return c;
}

void redis_client_free(struct redis_client *c)
{
    if (c == NULL)
        return;
    redis_client_stop(c);
    buffer_fini(&c->out);
    free(c);
}

void redis_client_stop(struct redis_client *c)
{
    stream_fini(&c->stream);
    stream_clear(&c->stream);
    if (c->reader != NULL)
        redisReaderFree(c->reader);
    c->reader = NULL;
    buffer_clear(&c->out);
    buffer_trim(&c->out, OUT_KEEP_BYTES);
    c->borrowed = NULL;
    c->borrowed_len = 0;
    c->login_count = c->login_done = 0;
    c->state = CLIENT_CLOSED;
}

static void queue_login(struct redis_client *c, const struct url *url, const char *name)
{
    if (url->password[0] != '\0' || url->user[0] != '\0') {
        if (url->user[0] != '\0')
            redis_client_command(c, "AUTH %s %s", url->user, url->password);
        else
            redis_client_command(c, "AUTH %s", url->password);
        c->login[c->login_count++] = "AUTH";
    }
    if (url->database != 0) {
        redis_client_command(c, "SELECT %d", url->database);
        c->login[c->login_count++] = "SELECT";
    }
    redis_client_command(c, "CLIENT SETNAME %s", name);
    c->login[c->login_count++] = "CLIENT SETNAME";
}

/* An array's length is believed before its elements are there: eight bytes for each of two thousand million. */
static void *create_bounded_array(const redisReadTask *task, element_count elements)
{
    const struct redis_client *c = task->privdata;
    return elements <= REPLY_MAX_ELEMENTS ? c->create_array(task, elements) : NULL;
}

static redisReader *reader_new(struct redis_client *c)
{
    redisReader *reader = redisReaderCreate();
    if (reader == NULL)
        return NULL;
    c->functions = *reader->fn;
    c->create_array = c->functions.createArray;
    c->functions.createArray = create_bounded_array;
    reader->fn = &c->functions;
    reader->privdata = c;
    return reader;
}

bool redis_client_start(struct redis_client *c, int fd, struct tls_context *tls, const struct url *url,
                        const char *name, struct error *why)
{
    redis_client_stop(c);
    if (!stream_init(&c->stream, fd, tls, url->host, why))
        return false;
    c->reader = reader_new(c);
    if (c->reader == NULL) {
        error_set(why, "out of memory");
        redis_client_stop(c);
        return false;
    }
    c->state = CLIENT_HANDSHAKE;
    c->wants_write = true; /* a TLS client speaks first; a plain one has its login to send */
    queue_login(c, url, name);
    return true;
}

bool redis_client_is_open(const struct redis_client *c)
{
    return c->state != CLIENT_CLOSED;
}
bool redis_client_is_ready(const struct redis_client *c)
{
    return c->state == CLIENT_READY;
}
int redis_client_fd(const struct redis_client *c)
{
    return c->stream.fd;
}

short redis_client_wants(const struct redis_client *c)
{
    return c->wants_write ? POLLIN | POLLOUT : POLLIN;
}

void redis_client_command(struct redis_client *c, const char *format, ...)
{
    char *command = NULL;
    va_list args;
    va_start(args, format);
    int len = redisvFormatCommand(&command, format, args);
    va_end(args);
    if (len < 0) {
        c->out.failed = true;
        return;
    }
    buffer_append(&c->out, command, (size_t)len);
    redisFreeCommand(command);
    c->wants_write = true;
}

void redis_client_append(struct redis_client *c, const struct buffer *resp)
{
    buffer_append(&c->out, resp->data, resp->len);
    c->out.failed = c->out.failed || resp->failed;
    c->wants_write = true;
}

void redis_client_send(struct redis_client *c, const void *bytes, size_t len)
{
    c->borrowed = bytes;
    c->borrowed_len = len;
    c->wants_write = true;
}

bool redis_client_has_sent(const struct redis_client *c)
{
    return c->out.len == 0 && c->borrowed_len == 0;
}

static bool fail(struct redis_client *c)
{
    redis_client_stop(c);
    return false;
}

/* Writes what is queued, oldest first, until it is out or the socket is full. */
static bool write_queued(struct redis_client *c, struct error *why)
{
    if (c->out.failed) {
        error_set(why, "out of memory");
        return fail(c);
    }
    while (!redis_client_has_sent(c)) {
        bool own = c->out.len > 0;
        size_t put = 0;
        switch (stream_write(&c->stream, own ? c->out.data : c->borrowed, own ? c->out.len : c->borrowed_len,
                             &put, why)) {
        case STREAM_OK:
            if (own) {
                buffer_consume(&c->out, put);
            } else {
                c->borrowed += put;
                c->borrowed_len -= put;
            }
            break;
        case STREAM_WANT_READ:
            c->wants_write = false;
            return true;
        case STREAM_WANT_WRITE:
            c->wants_write = true;
            return true;
        case STREAM_EOF:
            error_set(why, "closed by the server");
            return fail(c);
        case STREAM_ERROR:
            return fail(c);
        }
    }
    c->wants_write = false;
    return true;
}

/* Takes the answers to the login. A name that may not be set (ACL) is no reason to stay outside. */
static bool finish_login(struct redis_client *c, struct error *why)
{
    while (c->login_done < c->login_count) {
        void *answer = NULL;
        if (redisReaderGetReply(c->reader, &answer) != REDIS_OK) {
            error_set(why, "not a Redis server: %s", c->reader->errstr);
            return fail(c);
        }
        if (answer == NULL)
            return true;
        redisReply *reply = answer;
        const char *step = c->login[c->login_done++];
        bool refused = reply->type == REDIS_REPLY_ERROR && strcmp(step, "CLIENT SETNAME") != 0;
        /* Without a password a protected server refuses every command, the name too: say so at once. */
        if (reply->type == REDIS_REPLY_ERROR &&
            (strncmp(reply->str, "NOAUTH", 6) == 0 || strncmp(reply->str, "DENIED", 6) == 0 ||
             strncmp(reply->str, "LOADING", 7) == 0))
            refused = true;
        if (refused)
            error_set(why, "%s: %s", strcmp(step, "CLIENT SETNAME") == 0 ? "login" : step, reply->str);
        freeReplyObject(reply);
        if (refused)
            return fail(c);
    }
    c->state = CLIENT_READY;
    return true;
}

static bool read_arrived(struct redis_client *c, struct error *why)
{
    char bytes[READ_BYTES];
    for (int reads = 0; reads < READS_PER_TURN || stream_has_pending(&c->stream); reads++) {
        size_t got = 0;
        switch (stream_read(&c->stream, bytes, sizeof bytes, &got, why)) {
        case STREAM_OK:
            if (redisReaderFeed(c->reader, bytes, got) != REDIS_OK) {
                error_set(why, "reply: %s", c->reader->errstr);
                return fail(c);
            }
            if (c->reader->len - c->reader->pos > REPLY_MAX_BYTES) {
                error_set(why, "an answer of more than %d MB: not a Redis server?", REPLY_MAX_BYTES >> 20);
                return fail(c);
            }
            /* A plain socket that gave less than asked for is empty: saves the read that would say so. */
            if (got < sizeof bytes && !stream_has_pending(&c->stream))
                return true;
            break;
        case STREAM_WANT_READ:
            return true;
        case STREAM_WANT_WRITE:
            c->wants_write = true;
            return true;
        case STREAM_EOF:
            /* "-ERR max number of clients reached" may stand in front of the end: the better reason. */
            if (c->state == CLIENT_LOGIN && !finish_login(c, why))
                return false;
            error_set(why, "closed by the server");
            return fail(c);
        case STREAM_ERROR:
            return fail(c);
        }
    }
    return true; /* the descriptor is readable still, and the caller will be called again */
}

bool redis_client_progress(struct redis_client *c, struct error *why)
{
    if (c->state == CLIENT_HANDSHAKE) {
        switch (stream_handshake(&c->stream, why)) {
        case STREAM_OK:
            c->state = CLIENT_LOGIN;
            c->wants_write = true;
            break;
        case STREAM_WANT_READ:
            c->wants_write = false;
            return true;
        case STREAM_WANT_WRITE:
            c->wants_write = true;
            return true;
        case STREAM_EOF:
            error_set(why, "TLS handshake: closed by the server");
            return fail(c);
        case STREAM_ERROR:
            return fail(c);
        }
    }
    if (c->state == CLIENT_CLOSED) {
        error_set(why, "not connected");
        return false;
    }
    /* Reading comes first: the server's own words are a better reason than the broken pipe that follows them.
     */
    return read_arrived(c, why) && (c->state != CLIENT_LOGIN || finish_login(c, why)) && write_queued(c, why);
}

size_t redis_client_skip_status(struct redis_client *c, const char *status, size_t max)
{
    return c->state == CLIENT_READY ? replies_skip_status(c->reader, status, max) : 0;
}

bool redis_client_skip_array(struct redis_client *c, size_t n)
{
    return c->state == CLIENT_READY && replies_skip_array(c->reader, n);
}

bool redis_client_reply(struct redis_client *c, redisReply **reply, struct error *why)
{
    void *next = NULL;
    *reply = NULL;
    if (c->state != CLIENT_READY)
        return true;
    if (redisReaderGetReply(c->reader, &next) != REDIS_OK) {
        error_set(why, "the answer is not RESP: %s", c->reader->errstr);
        return fail(c);
    }
    *reply = next;
    return true;
}

const char *redis_error_hint(const char *error)
{
    static const char *const cluster[] = {"MOVED ", "ASK ", "CROSSSLOT ", "CLUSTERDOWN "};
    for (size_t i = 0; i < sizeof cluster / sizeof cluster[0]; i++)
        if (strstr(error, cluster[i]) != NULL)
            return " (this is a Redis Cluster: events and marks are written in one transaction, so all keys must be in "
                   "one Redis)";
    return "";
}
