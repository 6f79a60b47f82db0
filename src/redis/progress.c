#include "config.h"

#include "redis/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append_bulk(struct buffer *out, const char *text, size_t len)
{
    buffer_append_byte(out, '$');
    buffer_append_unsigned(out, len);
    buffer_append_literal(out, "\r\n");
    buffer_append(out, text, len);
    buffer_append_literal(out, "\r\n");
}

void resp_append_bulk(struct buffer *out, const char *text) { append_bulk(out, text, strlen(text)); }

void resp_append_command(struct buffer *out, size_t words, const char *name)
{
    buffer_append_byte(out, '*');
    buffer_append_unsigned(out, words);
    buffer_append_literal(out, "\r\n");
    resp_append_bulk(out, name);
}

/* Two of these for each partition that a batch has touched: printf() would take a tenth of a worker's time. */
static void append_number(struct buffer *out, int64_t number)
{
    char text[24], *end = text + sizeof text;
    char *start = format_unsigned_backwards(end, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    if (number < 0)
        *--start = '-';
    append_bulk(out, start, (size_t)(end - start));
}

void progress_append_read(struct buffer *out, const char *key)
{
    resp_append_command(out, 2 + PARTITIONS, "HMGET");
    resp_append_bulk(out, key);
    for (int i = 0; i < PARTITIONS; i++)
        append_number(out, i);
}

void progress_append_write(struct buffer *out, const char *key, const struct marks *marks, uint64_t which)
{
    resp_append_command(out, 2 + 2 * (size_t)__builtin_popcountll(which), "HSET");
    resp_append_bulk(out, key);
    for (int i = 0; i < PARTITIONS; i++)
        if (which >> i & 1) {
            append_number(out, i);
            append_number(out, marks->seq[i]);
        }
}

bool progress_is_no_stream(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "stream") != 0 && strcmp(reply->str, "none") != 0;
}

bool progress_parse(const redisReply *reply, struct marks *marks)
{
    *marks = (struct marks){0};
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != PARTITIONS)
        return false;
    for (int i = 0; i < PARTITIONS; i++)
        if (reply->element[i]->type == REDIS_REPLY_STRING)
            marks->seq[i] = strtoll(reply->element[i]->str, NULL, 10);
    return true;
}

void owner_format(const struct owner_token *token, char out[OWNER_TOKEN_BYTES])
{
    snprintf(out, OWNER_TOKEN_BYTES, "%016" PRIx64 ":%" PRIu64, token->instance, token->generation);
}

bool owner_parse(const char *text, struct owner_token *token)
{
    char *end;
    errno = 0;
    token->instance = strtoull(text, &end, 16);
    if (end == text || *end != ':')
        return false;
    const char *generation = end + 1;
    token->generation = strtoull(generation, &end, 10);
    return end != generation && errno == 0;
}

void owner_key(const char *prefix, unsigned slot, char out[OWNER_KEY_BYTES])
{
    snprintf(out, OWNER_KEY_BYTES, "%s:%u", prefix, slot);
}

struct marks known_page_read(const union known_page *page)
{
    struct marks marks;
    for (int p = 0; p < PARTITIONS; p++)
        marks.seq[p] = atomic_load_explicit(&page->seq[p], memory_order_relaxed);
    return marks;
}

struct known_marks *known_marks_new(void)
{
    struct known_marks *known = calloc(1, sizeof *known);
    if (known == NULL)
        return NULL;
    *known = (struct known_marks){.workers = 1, .pages = worker_pages_new()};
    if (known->pages != NULL)
        return known;
    free(known);
    return NULL;
}

void known_marks_free(struct known_marks *known) { free(known); }

static _Atomic int64_t *place_of(const struct known_marks *known, unsigned partition)
{
    return &known->pages[partition % known->workers].seq[partition];
}

void known_marks_route(struct known_marks *known, unsigned workers)
{
    const struct marks marks = known_marks_read(known);
    known->workers = workers;
    known_marks_write(known, &marks);
}

struct marks known_marks_read(const struct known_marks *known)
{
    struct marks marks;
    for (unsigned p = 0; p < PARTITIONS; p++)
        marks.seq[p] = atomic_load_explicit(place_of(known, p), memory_order_relaxed);
    return marks;
}

void known_marks_write(struct known_marks *known, const struct marks *marks)
{
    for (unsigned p = 0; p < PARTITIONS; p++)
        atomic_store_explicit(place_of(known, p), marks->seq[p], memory_order_relaxed);
}

void known_marks_forget(struct known_marks *known)
{
    known_marks_write(known, &(struct marks){0});
}
