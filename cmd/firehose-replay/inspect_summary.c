#include "config.h"

#include "inspect_summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

/* ---- counting ---- */

static struct collection_total *find_collection(struct summary *s, const char *name, size_t len)
{
    if (len >= SUMMARY_COLLECTION_BYTES)
        len = SUMMARY_COLLECTION_BYTES - 1;
    for (size_t i = 0; i < s->collection_count; i++)
        if (strncmp(s->collections[i].name, name, len) == 0 && s->collections[i].name[len] == '\0')
            return &s->collections[i];
    if (s->collection_count == s->collection_cap) {
        size_t cap = s->collection_cap > 0 ? s->collection_cap * 2 : 64;
        struct collection_total *more = realloc(s->collections, cap * sizeof *more);
        if (more == NULL)
            return NULL;
        s->collections = more;
        s->collection_cap = cap;
    }
    struct collection_total *c = &s->collections[s->collection_count++];
    *c = (struct collection_total){0};
    for (size_t i = 0; i < len; i++) /* no control characters: terminals show the name */
        c->name[i] = (char)(name[i] > ' ' && name[i] != 0x7f ? name[i] : '?');
    return c;
}

static void add_ops(struct summary *s, const struct frame *f)
{
    for (size_t i = 0; i < f->op_count; i++) {
        const struct frame_op *op = &f->ops[i];
        const char *slash = memchr(op->path.ptr, '/', op->path.len);
        size_t len = slash != NULL ? (size_t)(slash - (const char *)op->path.ptr) : op->path.len;
        struct collection_total *c = find_collection(s, (const char *)op->path.ptr, len);
        if (c == NULL) {
            s->failed = true;
            return;
        }
        c->creates += op->action == OP_CREATE;
        c->updates += op->action == OP_UPDATE;
        c->deletes += op->action == OP_DELETE;
    }
}

static bool has_number(enum frame_kind kind)
{
    return kind == FRAME_COMMIT || kind == FRAME_SYNC || kind == FRAME_IDENTITY || kind == FRAME_ACCOUNT;
}

void summary_add(struct summary *s, size_t len, const struct event *event)
{
    s->min_bytes = s->frames == 0 || len < s->min_bytes ? len : s->min_bytes;
    s->max_bytes = len > s->max_bytes ? len : s->max_bytes;
    s->frames++;
    s->bytes += len;
    if (event == NULL) {
        s->malformed++;
        return;
    }
    const struct frame *f = &event->frame;
    s->kinds[f->kind]++;
    for (int i = 0; i < OP_DROPS; i++)
        s->dropped[i] += event->dropped[i];
    if (has_number(f->kind)) {
        if (!s->has_seq)
            s->first_seq = f->seq;
        s->has_seq = true;
        s->last_seq = f->seq;
    }
    if (f->kind == FRAME_COMMIT)
        add_ops(s, f);
}

/* ---- printing ---- */

static uint64_t all_ops(const struct collection_total *c) { return c->creates + c->updates + c->deletes; }

static int by_ops(const void *a, const void *b)
{
    uint64_t x = all_ops(a), y = all_ops(b);
    return x < y ? 1 : x > y ? -1 : strcmp(((const struct collection_total *)a)->name,
                                           ((const struct collection_total *)b)->name);
}

static double mean(const struct summary *s) { return s->frames > 0 ? (double)s->bytes / (double)s->frames : 0; }

static void print_text(const struct summary *s)
{
    printf("%-12s %12" PRIu64 "\n%-12s %12" PRIu64 "\n", "frames", s->frames, "bytes", s->bytes);
    printf("%-12s %12zu min %.0f mean %zu max\n", "frame bytes", s->min_bytes, mean(s), s->max_bytes);
    if (s->has_seq)
        printf("%-12s %12" PRId64 " to %" PRId64 "\n", "seq", s->first_seq, s->last_seq);
    for (int i = 0; i < FRAME_KINDS; i++)
        if (s->kinds[i] > 0)
            printf("%-12s %12" PRIu64 "\n", frame_kind_name((enum frame_kind)i), s->kinds[i]);
    printf("%-12s %12" PRIu64 "\n", "malformed", s->malformed);
    for (int i = 0; i < OP_DROPS; i++)
        if (s->dropped[i] > 0)
            printf("%-12s %12" PRIu64 " ops whose record cannot be used\n", op_drop_name((enum op_drop)i),
                   s->dropped[i]);
    if (s->collection_count > 0)
        printf("\n%-40s %10s %10s %10s\n", "collection", "create", "update", "delete");
    for (size_t i = 0; i < s->collection_count; i++) {
        const struct collection_total *c = &s->collections[i];
        printf("%-40s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", c->name, c->creates, c->updates, c->deletes);
    }
}

static void append_collections(const struct summary *s, struct buffer *b)
{
    for (size_t i = 0; i < s->collection_count; i++) {
        const struct collection_total *c = &s->collections[i];
        if (i > 0)
            buffer_append_byte(b, ',');
        if (!json_append_string(b, c->name, strlen(c->name))) /* the name is cut inside a character */
            buffer_append_literal(b, "\"?\"");
        buffer_append_format(b, ":{\"create\":%" PRIu64 ",\"update\":%" PRIu64 ",\"delete\":%" PRIu64 "}", c->creates,
                             c->updates, c->deletes);
    }
}

static void print_json(const struct summary *s)
{
    struct buffer b;
    buffer_init(&b);
    buffer_append_format(&b, "{\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64, s->frames, s->bytes);
    buffer_append_format(&b, ",\"min\":%zu,\"mean\":%.1f,\"max\":%zu", s->min_bytes, mean(s), s->max_bytes);
    if (s->has_seq)
        buffer_append_format(&b, ",\"firstSeq\":%" PRId64 ",\"lastSeq\":%" PRId64, s->first_seq, s->last_seq);
    buffer_append_format(&b, ",\"malformed\":%" PRIu64 ",\"kinds\":{", s->malformed);
    for (int i = 0; i < FRAME_KINDS; i++)
        buffer_append_format(&b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", frame_kind_name((enum frame_kind)i),
                             s->kinds[i]);
    buffer_append_literal(&b, "},\"dropped\":{");
    for (int i = 0; i < OP_DROPS; i++)
        buffer_append_format(&b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", op_drop_name((enum op_drop)i),
                             s->dropped[i]);
    buffer_append_literal(&b, "},\"collections\":{");
    append_collections(s, &b);
    buffer_append_literal(&b, "}}\n");
    if (!b.failed)
        fwrite(b.data, 1, b.len, stdout);
    buffer_fini(&b);
}

void summary_print(struct summary *s, bool json)
{
    if (s->collection_count > 0)
        qsort(s->collections, s->collection_count, sizeof *s->collections, by_ops);
    if (json)
        print_json(s);
    else
        print_text(s);
}

void summary_fini(struct summary *s)
{
    free(s->collections);
    *s = (struct summary){0};
}
