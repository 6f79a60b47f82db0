#include "config.h"

#include "inherited.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 500, READ_MAX = 200000 /* entries: minutes of the whole network */ };

static store_reply on_page;

bool inherited_is_wanted(enum begin_kind kind, const struct begin_found *found, bool goes_on_with_stream)
{
    if (found->stream_is_gone || (kind != BEGIN_FIRST && kind != BEGIN_RELAY && kind != BEGIN_REWIND))
        return false;
    const struct optional inherited = found->record.inherited, cursor = found->cursor;
    if (inherited.is_known)
        return cursor.is_known && optional_is(found->record.copy, cursor.value) && inherited.value > cursor.value;
    return kind == BEGIN_FIRST && !found->record.knows_relay && (cursor.is_known || goes_on_with_stream);
}

static void ask(struct inherited *i, const char *from)
{
    session_ask(i->session, on_page, i, "XREVRANGE %s %s - COUNT %d", i->session->config->stream_key, from, PAGE);
}

void inherited_forget(struct inherited *i)
{
    free(i->seqs);
    *i = (struct inherited){.session = i->session};
}

void inherited_read(struct inherited *i, struct optional behind, void (*done)(void *arg), void *arg)
{
    inherited_forget(i);
    i->behind = behind;
    i->done = done;
    i->arg = arg;
    ask(i, "+");
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void keep(struct inherited *i, int64_t seq)
{
    if (i->count == i->cap) {
        size_t cap = i->cap > 0 ? i->cap * 2 : PAGE;
        int64_t *seqs = reallocarray(i->seqs, cap, sizeof *seqs);
        if (seqs == NULL)
            return;
        i->seqs = seqs;
        i->cap = cap;
    }
    i->seqs[i->count++] = seq;
}

/* The seq among an entry's fields; unknown: the entry is not an event. */
static struct optional seq_of(const redisReply *entry)
{
    const redisReply *seq = redis_is_entry(entry) ? redis_entry_field(entry, "seq") : NULL;
    return record_parse_cursor(seq != NULL ? seq->str : NULL);
}

/* Takes one page. Returns true if it has events, and none behind the cursor: then none is in front of it either. */
static bool take(struct inherited *i, const redisReply *page)
{
    bool has_events = false, is_over = true;
    for (size_t n = 0; n < page->elements; n++) {
        const struct optional seq = seq_of(page->element[n]);
        if (!seq.is_known)
            continue;
        has_events = true;
        if (seq.value > i->newest)
            i->newest = seq.value;
        if (i->behind.is_known && seq.value > i->behind.value) {
            keep(i, seq.value);
            is_over = false;
        }
    }
    i->read += page->elements;
    return has_events && is_over;
}

/* Writes the id in front of the page's last entry: the next page begins there. Returns false if there is none. */
static bool next_id(const redisReply *page, char out[48])
{
    const redisReply *last = page->element[page->elements - 1];
    unsigned long long ms, seq;
    if (!redis_is_entry(last))
        return false;
    /* NOLINTNEXTLINE(cert-err34-c): an id of Redis */
    if (sscanf(last->element[0]->str, "%llu-%llu", &ms, &seq) != 2 || (ms == 0 && seq <= 1))
        return false;
    if (seq > 0)
        snprintf(out, 48, "%llu-%llu", ms, seq - 1);
    else
        snprintf(out, 48, "%llu", ms - 1); /* any seq of that millisecond */
    return true;
}

static void on_page(void *arg, const redisReply *reply)
{
    struct inherited *i = arg;
    char next[48];
    if (i->done == NULL)
        return;
    if (reply->type != REDIS_REPLY_ARRAY) {
        session_lose_key(i->session, reply->str != NULL ? reply->str : "XREVRANGE: no list",
                         i->session->config->stream_key);
        return;
    }
    bool is_over = reply->elements == 0 || take(i, reply);
    if (!is_over && reply->elements == PAGE && i->read < READ_MAX && next_id(reply, next)) {
        ask(i, next);
        return;
    }
    if (i->count > 0)
        qsort(i->seqs, i->count, sizeof *i->seqs, compare);
    if (i->count > 0)
        log_info("%zu events behind cursor %" PRId64 " are in %s already: they are not written again", i->count,
                 i->behind.value, i->session->config->stream_key);
    void (*done)(void *arg) = i->done;
    i->done = NULL;
    done(i->arg);
}

bool inherited_has(const struct inherited *i, int64_t seq)
{
    return i->count > 0 && seq <= i->newest && bsearch(&seq, i->seqs, i->count, sizeof seq, compare) != NULL;
}
