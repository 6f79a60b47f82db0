#include "config.h"

#include "letters.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEW = 3,       /* entries at each end of the key; a frame may have 5 MB */
    PAGE_MAX = 16, /* entries of the application in one answer */
};

/* The default of dead_letters_key in earlier versions. */
static const char old_key[] = "firehose:dead-letters";
static const char *const our_fields[OUR_FIELDS] = {"seq", "reason", "frame"};
enum { OUR_PARTS = 2 * OUR_FIELDS };

/* In the order of the answers. */
static store_reply on_end, on_other_end, on_page, on_added, on_copy, on_original, on_moved;

/* ---- entries ---- */

static bool is_ours(const redisReply *entry)
{
    const redisReply *fields = entry->element[1];
    if (fields->elements != OUR_PARTS)
        return false;
    for (size_t i = 0; i < OUR_PARTS; i++)
        if (fields->element[i]->type != REDIS_REPLY_STRING ||
            (i % 2 == 0 && strcmp(fields->element[i]->str, our_fields[i / 2]) != 0))
            return false;
    return true;
}

/* Returns the first entry of ours, or of others; or NULL. */
static const redisReply *first_entry(const redisReply *page, bool of_ours)
{
    for (size_t i = 0; i < page->elements; i++)
        if (redis_is_entry(page->element[i]) && is_ours(page->element[i]) == of_ours)
            return page->element[i];
    return NULL;
}

/* Entries are large: digests of their values are kept until another one is compared with them. Returns false if there
 * is no entry. */
static bool take_digests(const redisReply *entry, uint8_t digests[OUR_FIELDS][DIGEST_BYTES])
{
    bool taken = entry != NULL;
    for (size_t i = 0; taken && i < OUR_FIELDS; i++) {
        const redisReply *value = entry->element[1]->element[2 * i + 1];
        taken = EVP_Digest(value->str, value->len, digests[i], NULL, EVP_sha256(), NULL) == 1;
    }
    return taken;
}

static void add_copy(struct letters *l, const redisReply *entry, const char *id, store_reply *on_reply)
{
    redisReply *const *f = entry->element[1]->element;
    session_ask(l->session, on_reply, l, "XADD %s %s seq %b reason %b frame %b", l->key, id, f[1]->str, f[1]->len,
                f[3]->str, f[3]->len, f[5]->str, f[5]->len);
}

/* Redis before 6.2 does not know the form "(id". Returns false if that is no id. */
static bool set_behind(struct letters *l, const char *id)
{
    char *dash, *end;
    unsigned long long ms = strtoull(id, &dash, 10);
    if (*dash != '-')
        return false;
    unsigned long long number = strtoull(dash + 1, &end, 10) + 1;
    snprintf(l->at, sizeof l->at, "%llu-%llu", number == 0 ? ms + 1 : ms, number);
    return end > dash + 1 && *end == '\0';
}

/* ---- whose entries the key holds ---- */

bool letters_are_ready(struct letters *l)
{
    const char *key = l->session->config->dead_letters_key;
    if (l->state == LETTERS_READY && strcmp(l->key, key) == 0)
        return true;
    if (l->state == LETTERS_ASKED)
        return false;
    l->state = LETTERS_ASKED;
    snprintf(l->key, sizeof l->key, "%s", key);
    session_ask(l->session, on_end, l, "XRANGE %s - + COUNT %d", key, FEW);
    session_ask(l->session, on_other_end, l, "XREVRANGE %s + - COUNT %d", key, FEW);
    return false;
}

/* Returns false if the connection is given up. */
static bool check(struct letters *l, const redisReply *reply)
{
    char why[ERROR_TEXT_BYTES];
    const redisReply *foreign = reply->type == REDIS_REPLY_ARRAY ? first_entry(reply, false) : NULL;
    if (foreign != NULL)
        snprintf(
            why, sizeof why,
            "dead_letters_key: %.255s holds entries of another program (%.40s), which firehosed would trim. Waiting "
            "until the configuration names another key, or they are gone",
            l->key, foreign->element[0]->str);
    if (foreign != NULL)
        session_lose(l->session, why);
    else if (reply->type != REDIS_REPLY_ARRAY)
        session_lose_key(l->session, reply->str != NULL ? reply->str : "not a stream", l->key);
    return foreign == NULL && reply->type == REDIS_REPLY_ARRAY;
}

static void on_end(void *arg, const redisReply *reply) { check(arg, reply); }

static void finish(struct letters *l)
{
    l->state = LETTERS_READY;
    l->ready(l->arg);
}

static void search(struct letters *l)
{
    session_ask(l->session, on_page, l, "XRANGE %s %s + COUNT %d", old_key, l->at, l->page);
}

static void on_other_end(void *arg, const redisReply *reply)
{
    struct letters *l = arg;
    if (!check(l, reply))
        return;
    if (l->is_moved || config_is_set(l->session->config, "dead_letters_key")) {
        finish(l);
        return;
    }
    snprintf(l->at, sizeof l->at, "0-0");
    l->page = 1;
    search(l);
}

/* ---- moving our own out of the old key ---- */

static void finish_moving(struct letters *l)
{
    if (l->moved > 0)
        log_info("dead letters: %" PRIu64 " of firehosed were moved from %s to %s; %s belongs to the application",
                 l->moved, old_key, l->key, old_key);
    l->is_moved = true;
    finish(l);
}

/* A key that is no stream, or is closed to firehosed, is the application's, and nothing waits for it. */
static void fail(struct letters *l, const char *error, const char *key)
{
    bool is_closed = redis_is_forbidden(error);
    if (is_closed)
        log_info("dead letters: those of earlier versions of firehosed, if any, stay in %s: %s", old_key, error);
    if (is_closed || strncmp(error, "WRONGTYPE", 9) == 0)
        finish_moving(l);
    else
        session_lose_key(l->session, error, key);
}

static void on_page(void *arg, const redisReply *reply)
{
    struct letters *l = arg;
    const redisReply *ours = first_entry(reply, true), *last = NULL;
    if (ours != NULL) {
        snprintf(l->at, sizeof l->at, "%s", ours->element[0]->str);
        l->page = 1;
        add_copy(l, ours, l->at, on_added);
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
        last = reply->element[reply->elements - 1];
    if (reply->type == REDIS_REPLY_ARRAY && last == NULL) {
        finish_moving(l);
    } else if (last != NULL && redis_is_entry(last) && set_behind(l, last->element[0]->str)) {
        l->page = l->page < PAGE_MAX ? 2 * l->page : PAGE_MAX;
        search(l);
    } else {
        fail(l, reply->type == REDIS_REPLY_ERROR ? reply->str : "not a stream", old_key);
    }
}

static void on_added(void *arg, const redisReply *reply)
{
    struct letters *l = arg;
    if (reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "equal or smaller") == NULL) {
        fail(l, reply->str, l->key);
        return;
    }
    session_tell(l->session, "WATCH %s", old_key);
    session_ask(l->session, on_copy, l, "XRANGE %s %s %s", l->key, l->at, l->at);
    session_ask(l->session, on_original, l, "XRANGE %s %s %s", old_key, l->at, l->at);
}

static void on_copy(void *arg, const redisReply *reply)
{
    struct letters *l = arg;
    l->has_copy = take_digests(first_entry(reply, true), l->copy);
}

/* If the original is gone, another firehosed has moved it, or somebody has deleted it. The same id alone makes no copy:
 * entries of two keys may come in the same millisecond. */
static void on_original(void *arg, const redisReply *reply)
{
    struct letters *l = arg;
    uint8_t digests[OUR_FIELDS][DIGEST_BYTES];
    const redisReply *original = first_entry(reply, true);
    bool is_copied = l->has_copy && take_digests(original, digests) && memcmp(digests, l->copy, sizeof digests) == 0;
    session_tell(l->session, "MULTI");
    if (original != NULL && !is_copied)
        add_copy(l, original, "*", NULL);
    if (original != NULL)
        session_tell(l->session, "XDEL %s %s", old_key, l->at);
    session_ask(l->session, on_moved, l, "EXEC");
}

static void on_moved(void *arg, const redisReply *reply)
{
    struct letters *l = arg;
    const char *error = redis_first_error(reply);
    if (error != NULL) {
        fail(l, error, old_key);
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY) { /* else the application has added something: once more */
        l->moved += reply->elements > 0;
        set_behind(l, l->at);
    }
    search(l);
}

void letters_on_lost(struct letters *l) { l->state = LETTERS_UNKNOWN; }
