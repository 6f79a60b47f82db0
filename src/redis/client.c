#include "config.h"

#include "redis/client.h"

#include <hiredis/read.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "redis/info.h"
#include "redis/replies.h"

enum client_state { CLIENT_CLOSED, CLIENT_HANDSHAKE, CLIENT_LOGIN, CLIENT_READY };

enum login_step { STEP_AUTH, STEP_SELECT, STEP_NAME, STEP_SERVER, STEP_KEY, STEP_RUN, STEP_LOG, STEP_REWRITE };
static const char *const step_names[] = {"AUTH", "SELECT", "login", "login", "login", "login", "login", "login"};

enum {
    READ_BYTES = 64 * 1024,
    OUT_KEEP_BYTES = 64 * 1024,
    READS_PER_TURN = 32, /* then the other descriptors get their turn: a server may send faster than it is read */
    LOGIN_STEPS = 8,
    RUN_ID_BYTES = 48,
    /* Limits of a reply. The largest that is asked for is a page of dead letters; EXEC has an element for each event of
     * a batch. */
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
    redisReplyObjectFunctions functions; /* those of hiredis, but for arrays */
    void *(*create_array)(const redisReadTask *, element_count);
    bool wants_write;
    struct buffer out; /* commands not yet written; they precede `borrowed` */
    const uint8_t *borrowed;
    size_t borrowed_len;
    enum login_step login[LOGIN_STEPS]; /* the commands of the login, in the order of their replies */
    int login_count, login_done;
    char run_id[RUN_ID_BYTES]; /* of the server process; "" if it is unknown */
    bool may_have_half;        /* its log may end within a transaction of ours, left by an earlier server process */
    char asked[RUN_ID_BYTES];  /* the run that was asked to write its log anew: each is asked once */
    char where[URL_HOST_BYTES + 16];
    struct log_throttle doubt; /* about its append-only log */
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

static void expect(struct redis_client *c, enum login_step step) { c->login[c->login_count++] = step; }

static void queue_login(struct redis_client *c, const struct url *url, const char *name, const char *run_key)
{
    if (url->password[0] != '\0' || url->user[0] != '\0') {
        if (url->user[0] != '\0')
            redis_client_command(c, "AUTH %s %s", url->user, url->password);
        else
            redis_client_command(c, "AUTH %s", url->password);
        expect(c, STEP_AUTH);
    }
    if (url->database != 0) {
        redis_client_command(c, "SELECT %d", url->database);
        expect(c, STEP_SELECT);
    }
    redis_client_command(c, "CLIENT SETNAME %s", name);
    expect(c, STEP_NAME);
    if (run_key != NULL) {
        redis_client_command(c, "INFO server");
        expect(c, STEP_SERVER);
        redis_client_command(c, "TYPE %s", run_key);
        expect(c, STEP_KEY);
        redis_client_command(c, "HGET %s run", run_key);
        expect(c, STEP_RUN);
        redis_client_command(c, "INFO persistence");
        expect(c, STEP_LOG);
    }
}

/* hiredis believes an array's length before the elements are there, and allocates eight bytes for each. */
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

bool redis_client_start(struct redis_client *c, int fd, const struct redis_address *address, const char *name,
                        const char *run_key, struct error *why)
{
    redis_client_stop(c);
    if (!stream_init(&c->stream, fd, address->tls, address->url.host, why))
        return false;
    c->reader = reader_new(c);
    if (c->reader == NULL) {
        error_set(why, "out of memory");
        redis_client_stop(c);
        return false;
    }
    c->state = CLIENT_HANDSHAKE;
    c->wants_write = true; /* a TLS client speaks first; a plain one has its login to send */
    redis_address_text(address, c->where, sizeof c->where);
    c->run_id[0] = '\0';
    c->may_have_half = false;
    queue_login(c, &address->url, name, run_key);
    return true;
}

bool redis_client_is_open(const struct redis_client *c) { return c->state != CLIENT_CLOSED; }
bool redis_client_is_ready(const struct redis_client *c) { return c->state == CLIENT_READY; }
int redis_client_fd(const struct redis_client *c) { return c->stream.fd; }
const char *redis_client_sound_run(const struct redis_client *c) { return c->may_have_half ? "" : c->run_id; }

short redis_client_wants(const struct redis_client *c) { return c->wants_write ? POLLIN | POLLOUT : POLLIN; }

void redis_client_command(struct redis_client *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redis_client_command_list(c, format, args);
    va_end(args);
}

void redis_client_command_list(struct redis_client *c, const char *format, va_list args)
{
    char *command = NULL;
    int len = redisvFormatCommand(&command, format, args);
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

bool redis_client_has_sent(const struct redis_client *c) { return c->out.len == 0 && c->borrowed_len == 0; }

static bool fail(struct redis_client *c)
{
    redis_client_stop(c);
    return false;
}

/* The stream has not done what it was asked for. Returns true if the descriptor is to be waited for. */
static bool must_wait(struct redis_client *c, enum stream_result result, const char *closed, struct error *why)
{
    if (result == STREAM_WANT_WRITE)
        c->wants_write = true;
    if (result == STREAM_WANT_READ || result == STREAM_WANT_WRITE)
        return true;
    if (result == STREAM_EOF)
        error_set(why, "%s", closed);
    return fail(c);
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
        enum stream_result result = stream_write(&c->stream, own ? c->out.data : c->borrowed,
                                                 own ? c->out.len : c->borrowed_len, &put, why);
        if (result != STREAM_OK) {
            c->wants_write = false;
            return must_wait(c, result, "closed by the server", why);
        }
        if (own) {
            buffer_consume(&c->out, put);
        } else {
            c->borrowed += put;
            c->borrowed_len -= put;
        }
    }
    c->wants_write = false;
    return true;
}

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/* A command that the ACL forbids does not end the login. But a server that wants a password, or is not ready, refuses
 * every command: that is an error at once. */
static bool is_refusal(enum login_step step, const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR &&
           (step == STEP_AUTH || step == STEP_SELECT || starts_with(reply->str, "NOAUTH") ||
            starts_with(reply->str, "DENIED") || starts_with(reply->str, "BUSY ") ||
            redis_is_wrong_server(reply->str));
}

static void warn_of_log(struct redis_client *c, const char *reason)
{
    log_throttled(&c->doubt, LOG_LEVEL_WARN,
                  "redis %s: its append-only log may end within a transaction from before its start, and was not "
                  "written anew (%s): events may be doubled when it is started again, see doc/exactly-once.md",
                  c->where, reason);
}

static bool wait_for_log(struct error *why)
{
    error_set(why, "its append-only log, which may end within a transaction, is being written anew: waiting for that");
    return false;
}

/* Commands behind half a transaction would execute it at the next start of Redis (see info.h): the log is written anew
 * before. A later attempt finds it done. Returns false while it is being written; *why says so. */
static bool check_log(struct redis_client *c, const char *info, struct error *why)
{
    switch (info_append_log(info)) {
    case APPEND_LOG_SOUND:
        c->may_have_half = false;
        break;
    case APPEND_LOG_INHERITED:
        if (strcmp(c->asked, c->run_id) == 0) {
            warn_of_log(c, "it was asked for before");
            break;
        }
        memcpy(c->asked, c->run_id, sizeof c->asked);
        redis_client_command(c, "BGREWRITEAOF");
        expect(c, STEP_REWRITE);
        break;
    case APPEND_LOG_BEING_WRITTEN:
        return wait_for_log(why);
    case APPEND_LOG_FAILED:
        warn_of_log(c, "that failed: its own log tells why");
        break;
    }
    return true;
}

static bool take_login_reply(struct redis_client *c, enum login_step step, const redisReply *reply, struct error *why)
{
    bool is_error = reply->type == REDIS_REPLY_ERROR;
    if (is_refusal(step, reply)) {
        error_set(why, "%s: %s", step_names[step], reply->str);
        return false;
    }
    switch (step) {
    case STEP_AUTH:
    case STEP_SELECT:
    case STEP_NAME:
        break;
    case STEP_SERVER:
        if (reply->type == REDIS_REPLY_STRING)
            info_text(reply->str, "run_id", c->run_id, sizeof c->run_id);
        break;
    case STEP_KEY: /* if there is none, we have never written */
        c->may_have_half = reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "none") != 0;
        break;
    case STEP_RUN:
        if (reply->type == REDIS_REPLY_STRING && c->run_id[0] != '\0' && strcmp(reply->str, c->run_id) == 0)
            c->may_have_half = false;
        break;
    case STEP_LOG:
        if (!c->may_have_half)
            break;
        if (reply->type == REDIS_REPLY_STRING)
            return check_log(c, reply->str, why);
        warn_of_log(c, is_error ? reply->str : "INFO tells nothing");
        break;
    case STEP_REWRITE:
        if (!is_error || strstr(reply->str, "already in progress") != NULL)
            return wait_for_log(why);
        warn_of_log(c, reply->str);
        break;
    }
    return true;
}

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
        bool go_on = take_login_reply(c, c->login[c->login_done++], answer, why);
        freeReplyObject(answer);
        if (!go_on)
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
        enum stream_result result = stream_read(&c->stream, bytes, sizeof bytes, &got, why);
        if (result != STREAM_OK) {
            /* "-ERR max number of clients reached" may stand in front of the end: the better reason. */
            if (result == STREAM_EOF && c->state == CLIENT_LOGIN && !finish_login(c, why))
                return false;
            return must_wait(c, result, "closed by the server", why);
        }
        if (redisReaderFeed(c->reader, bytes, got) != REDIS_OK) {
            error_set(why, "reply: %s", c->reader->errstr);
            return fail(c);
        }
        if (c->reader->len - c->reader->pos > REPLY_MAX_BYTES) {
            error_set(why, "an answer of more than %d MB: not a Redis server?", REPLY_MAX_BYTES >> 20);
            return fail(c);
        }
        /* A plain socket that gave less than asked for is empty: this saves the read that would say so. */
        if (got < sizeof bytes && !stream_has_pending(&c->stream))
            return true;
    }
    return true; /* the descriptor is still readable: the owner calls again */
}

bool redis_client_progress(struct redis_client *c, struct error *why)
{
    if (c->state == CLIENT_HANDSHAKE) {
        enum stream_result result = stream_handshake(&c->stream, why);
        c->wants_write = result == STREAM_OK;
        if (result != STREAM_OK)
            return must_wait(c, result, "TLS handshake: closed by the server", why);
        c->state = CLIENT_LOGIN;
    }
    if (c->state == CLIENT_CLOSED) {
        error_set(why, "not connected");
        return false;
    }
    /* Reading comes first: the server's own words are a better reason than the broken pipe that follows them. */
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

const char *redis_first_error(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return reply->str;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            return reply->element[i]->str;
    return NULL;
}

bool redis_is_entry(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[1]->type == REDIS_REPLY_ARRAY;
}

const redisReply *redis_entry_field(const redisReply *entry, const char *name)
{
    const redisReply *fields = entry->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *key = fields->element[i], *value = fields->element[i + 1];
        if (key->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING && strcmp(key->str, name) == 0)
            return value;
    }
    return NULL;
}

bool redis_is_forbidden(const char *error) { return starts_with(error, "NOPERM"); }

bool redis_is_wrong_server(const char *error)
{
    return starts_with(error, "READONLY ") || starts_with(error, "MASTERDOWN ") || starts_with(error, "LOADING ");
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
