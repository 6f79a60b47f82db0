#include "config.h"

#include "master/commands/dead_letters.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atproto/frame.h"
#include "base/text.h"
#include "master/commands/command.h"
#include "redis/client.h"
#include "ring/router.h"

enum {
    PAGE = 16, /* entries in one answer of Redis: a frame may have 5 MB */
    LIST_DEFAULT = 100,
    ENTRY_ID_BYTES = 48,
};

enum what { LIST, SHOW, DROP, RETRY };

/* One request under way. It lives until Redis has answered, even if its client is gone before. */
struct letter_request {
    struct master *m;
    struct control_call *call; /* NULL: answered */
    enum what what;
    bool by_id;
    int64_t seq;
    char id[ENTRY_ID_BYTES]; /* of the wanted entry; else of the last one read: the next page ends before it */
    int64_t left;            /* LIST: how many more */
    json_t *found;           /* array */
    uint64_t number;         /* RETRY: what the worker calls it */
};

static void refuse(struct letter_request *e, enum control_code code, const char *why)
{
    if (e->call != NULL)
        control_refuse(e->call, code, "%s", why);
    e->call = NULL;
}

static void request_free(struct letter_request *e)
{
    if (e->m->retry.request == e)
        e->m->retry.request = NULL;
    json_decref(e->found);
    free(e);
}

static void answer(struct letter_request *e)
{
    if (e->call != NULL)
        control_answer(e->call, json_pack("{s:O}", "entries", e->found));
    e->call = NULL;
    request_free(e);
}

/* ---- entries ---- */

static const char *field(const redisReply *entry, const char *name, size_t *len)
{
    const redisReply *value = redis_entry_field(entry, name);
    *len = value != NULL ? value->len : 0;
    return value != NULL ? value->str : "";
}

/* Returns the frame, which the caller frees; NULL if the text is not base64, or memory is short. */
static uint8_t *decode(const char *text, size_t len, size_t *bytes)
{
    uint8_t *frame = malloc(len / 4 * 3 + 1);
    int n = frame != NULL && len % 4 == 0 ? EVP_DecodeBlock(frame, (const uint8_t *)text, (int)len) : -1;
    if (n < 0) {
        free(frame);
        return NULL;
    }
    *bytes = (size_t)n;
    for (size_t i = len; i > 0 && text[i - 1] == '='; i--)
        --*bytes;
    return frame;
}

static json_t *entry_json(const struct letter_request *e, const redisReply *entry)
{
    size_t seq_len, reason_len, frame_len;
    struct text seq, reason;
    const char *number = field(entry, "seq", &seq_len);
    text_take(&seq, number, seq_len);
    const char *why = field(entry, "reason", &reason_len), *frame = field(entry, "frame", &frame_len);
    text_take(&reason, why, reason_len);
    size_t padding = (frame_len > 0 && frame[frame_len - 1] == '=') + (frame_len > 1 && frame[frame_len - 2] == '=');
    json_t *json = json_pack("{s:s,s:s,s:s,s:I,s:I}", "id", entry->element[0]->str, "seq", seq.text, "reason",
                             reason.text, "bytes", (json_int_t)(frame_len / 4 * 3 - padding), "time_ms",
                             (json_int_t)strtoll(entry->element[0]->str, NULL, 10));
    if (json != NULL && e->what != LIST)
        json_object_set_new(json, "frame", json_stringn(frame, frame_len));
    return json;
}

static bool is_wanted(const struct letter_request *e, const redisReply *entry)
{
    size_t len;
    return e->what == LIST || e->by_id || strtoll(field(entry, "seq", &len), NULL, 10) == e->seq;
}

/* ---- dropping ---- */

static void on_dropped(void *arg, const redisReply *reply)
{
    struct letter_request *e = arg;
    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER) {
        refuse(e, CONTROL_UNAVAILABLE, reply != NULL && reply->str != NULL ? reply->str : "Redis went away");
        request_free(e);
        return;
    }
    log_info("dead letters: %lld dropped by an operator", reply->integer);
    answer(e);
}

static void drop_found(struct letter_request *e)
{
    struct buffer resp;
    size_t i;
    json_t *entry;
    buffer_init(&resp);
    resp_append_command(&resp, 2 + json_array_size(e->found), "XDEL");
    resp_append_bulk(&resp, e->m->config->dead_letters_key);
    json_array_foreach(e->found, i, entry)
    {
        resp_append_bulk(&resp, json_string_value(json_object_get(entry, "id")));
        json_object_del(entry, "frame");
    }
    if (!store_call(e->m->store, &resp, on_dropped, e)) {
        refuse(e, CONTROL_UNAVAILABLE, "Redis is not there");
        request_free(e);
    }
    buffer_fini(&resp);
}

/* ---- trying again ---- */

static int frame_file(const uint8_t *frame, size_t len)
{
    int fd = memfd_create("firehosed-retry", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, frame, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void retry_found(struct letter_request *e)
{
    struct master *m = e->m;
    const json_t *entry = json_array_get(e->found, 0); /* the newest */
    const json_t *text = json_object_get(entry, "frame");
    const char *reason = json_string_value(json_object_get(entry, "reason"));
    size_t len = 0;
    struct frame_peek peek = {.kind = FRAME_UNKNOWN};
    struct violation ignored;
    if (reason != NULL && strncmp(reason, "record ", 7) == 0) {
        refuse(e, CONTROL_FAILED,
               "the event itself is in the stream already, without that record: it would be there twice");
        request_free(e);
        return;
    }
    uint8_t *frame = decode(json_string_value(text), json_string_length(text), &len);
    int fd = frame != NULL ? frame_file(frame, len) : -1;
    if (frame == NULL || fd < 0 || !frame_peek(frame, len, &peek, &ignored)) {
        refuse(e, CONTROL_FAILED,
               frame != NULL && fd >= 0 ? "the frame cannot be read as far as its kind" : "no memory, or no frame");
        request_free(e);
    } else {
        uint16_t partition = route_partition(peek.did.ptr, peek.did.len);
        m->retry.request = e;
        e->number = ++m->retry.count;
        log_info("dead letters: an operator has frame seq %lld tried again", (long long)e->seq);
        if (!pool_retry(m->pool, route_worker(partition, pool_size(m->pool)), fd, e->number, peek.kind,
                        json_string_value(json_object_get(entry, "id"))))
            dead_letters_retried(m, e->number, false, "its worker is not there at the moment");
    }
    if (fd >= 0)
        close(fd);
    free(frame);
}

void dead_letters_retried(struct master *m, uint64_t number, bool ok, const char *why)
{
    struct letter_request *e = m->retry.request;
    if (e == NULL || e->number != number)
        return;
    if (ok) {
        json_object_del(json_array_get(e->found, 0), "frame");
        answer(e);
    } else {
        refuse(e, CONTROL_FAILED, why);
        request_free(e);
    }
}

/* ---- looking ---- */

static void ask_page(struct letter_request *e);

static void on_page(void *arg, const redisReply *reply)
{
    struct letter_request *e = arg;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || e->call == NULL) {
        refuse(e, CONTROL_UNAVAILABLE, reply != NULL && reply->str != NULL ? reply->str : "Redis went away");
        request_free(e);
        return;
    }
    for (size_t i = 0; i < reply->elements && (e->what != LIST || e->left > 0); i++) {
        const redisReply *entry = reply->element[i];
        if (!redis_is_entry(entry))
            continue;
        if (is_wanted(e, entry)) {
            json_array_append_new(e->found, entry_json(e, entry));
            e->left--;
        }
        if (!e->by_id)
            snprintf(e->id, sizeof e->id, "(%s", entry->element[0]->str);
    }
    bool more = reply->elements == PAGE && !e->by_id && (e->what != LIST || e->left > 0);
    if (more)
        ask_page(e);
    else if (e->what != LIST && json_array_size(e->found) == 0) {
        refuse(e, CONTROL_NOT_FOUND, "there is no such dead letter");
        request_free(e);
    } else if (e->what == DROP)
        drop_found(e);
    else if (e->what == RETRY)
        retry_found(e);
    else
        answer(e);
}

static void ask_page(struct letter_request *e)
{
    char count[16];
    struct buffer resp;
    snprintf(count, sizeof count, "%d", PAGE);
    buffer_init(&resp);
    resp_append_command(&resp, 6, "XREVRANGE");
    resp_append_bulk(&resp, e->m->config->dead_letters_key);
    resp_append_bulk(&resp, e->id[0] != '\0' ? e->id : "+");
    resp_append_bulk(&resp, e->by_id ? e->id : "-");
    resp_append_bulk(&resp, "COUNT");
    resp_append_bulk(&resp, count);
    if (!store_call(e->m->store, &resp, on_page, e)) {
        refuse(e, CONTROL_UNAVAILABLE, "Redis is not there");
        request_free(e);
    }
    buffer_fini(&resp);
}

static void begin(struct master *m, struct control_call *call, enum what what)
{
    const char *entry = command_text(call, "entry");
    char *end = NULL;
    if (what == RETRY && (m->retry.request != NULL || !master_is_running(m))) {
        control_refuse(call, CONTROL_NOT_NOW, "%s",
                       m->retry.request != NULL ? "another one is being tried again" : "the workers are not running");
        return;
    }
    struct letter_request *e = calloc(1, sizeof *e);
    json_t *found = json_array();
    if (e == NULL || found == NULL) {
        free(e);
        json_decref(found);
        control_refuse(call, CONTROL_FAILED, "out of memory");
        return;
    }
    *e = (struct letter_request){.m = m, .call = call, .what = what, .found = found};
    e->left = what == LIST ? command_number(call, "count", LIST_DEFAULT) : INT64_MAX;
    if (entry != NULL) {
        e->by_id = strchr(entry, '-') != NULL && entry[0] != '-';
        e->seq = strtoll(entry, &end, 10);
        if (e->by_id)
            snprintf(e->id, sizeof e->id, "%.40s", entry);
        else if (end == entry || *end != '\0') {
            refuse(e, CONTROL_BAD_ARGUMENT, "expected a seq, or the id of an entry");
            request_free(e);
            return;
        }
    }
    if (what == RETRY)
        m->retry.request = e;
    ask_page(e);
}

void command_dead_letters(struct master *m, struct control_call *call) { begin(m, call, LIST); }

void command_dead_letter_show(struct master *m, struct control_call *call) { begin(m, call, SHOW); }

void command_dead_letter_drop(struct master *m, struct control_call *call) { begin(m, call, DROP); }

void command_dead_letter_retry(struct master *m, struct control_call *call) { begin(m, call, RETRY); }

void dead_letters_end(struct master *m)
{
    if (m->retry.request != NULL && m->retry.request->number != 0)
        dead_letters_retried(m, m->retry.request->number, false, "firehosed is ending");
}
