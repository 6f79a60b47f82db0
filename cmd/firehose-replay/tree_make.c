#include "config.h"

#include "tree_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cbor_write.h"

/* Measured on captures of the real network: 8.5 nodes in a commit, 4.5 entries in a node, one of five nodes empty. */
enum { MIN_NODES = 7, MAX_NODES = 10, MAX_MADE_UP = 18 };
static const uint8_t entry_counts[] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, MAX_MADE_UP};

/* A node under construction. */
struct node {
    struct tree_record *entries;
    size_t count;
    bool is_leaf;         /* the node has no subtrees but `child` */
    const uint8_t *child; /* NULL: none */
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct tree_record *)a)->path, ((const struct tree_record *)b)->path);
}

static void make_up(struct repo_model *m, struct tree_record *entry)
{
    static const char *const collections[] = {
        "app.bsky.feed.like", "app.bsky.feed.like", "app.bsky.feed.like", "app.bsky.feed.post",
        "app.bsky.feed.repost", "app.bsky.graph.follow",
    };
    char tid[TID_TEXT_BYTES];
    past_tid(m, tid);
    snprintf(entry->path, sizeof entry->path, "%s/%s", dice_pick(&m->dice, collections), tid);
    random_cid(&m->dice, CID_CODEC_DAG_CBOR, entry->cid);
}

static size_t shared_prefix(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] != '\0' && a[n] == b[n])
        n++;
    return n;
}

/* Appends {l, e: [{p, k, v, t}]} (atproto.com/specs/repository, "MST Structure"). The child is to the left of all
 * entries, or to the right of one of them. */
static void append_node(struct repo_model *m, const struct node *n, struct buffer *out)
{
    size_t child_at = n->child != NULL ? dice_below(&m->dice, (uint32_t)n->count + 1) : SIZE_MAX;
    const char *previous = "";
    uint8_t subtree[CID_BYTES];
    cbor_write_map(out, 2);
    cbor_write_text(out, "e");
    cbor_write_array(out, n->count);
    for (size_t i = 0; i < n->count; i++) {
        const char *path = n->entries[i].path;
        size_t shared = shared_prefix(previous, path);
        bool has_subtree = !n->is_leaf && dice_permille(&m->dice, 850);
        random_cid(&m->dice, CID_CODEC_DAG_CBOR, subtree);
        cbor_write_map(out, 4);
        cbor_write_text(out, "k");
        cbor_write_bytes(out, path + shared, strlen(path) - shared);
        cbor_pair_int(out, "p", (int64_t)shared);
        cbor_pair_link(out, "t", child_at == i + 1 ? n->child : has_subtree ? subtree : NULL);
        cbor_pair_link(out, "v", n->entries[i].cid);
        previous = path;
    }
    cbor_pair_link(out, "l", child_at == 0 ? n->child : NULL);
}

/* Fills a node with the records and made-up entries, sorted. */
static void fill(struct repo_model *m, struct node *n, const struct tree_record *records, size_t count,
                 size_t made_up)
{
    n->count = count + made_up;
    if (count > 0)
        memcpy(n->entries, records, count * sizeof *records);
    for (size_t i = count; i < n->count; i++)
        make_up(m, &n->entries[i]);
    qsort(n->entries, n->count, sizeof *n->entries, by_path);
}

void tree_make(struct repo_model *m, const struct tree_record *records, size_t count, struct car_writer *car,
               uint8_t root[CID_BYTES])
{
    unsigned nodes = dice_between(&m->dice, MIN_NODES, MAX_NODES);
    struct node n = {.entries = calloc(count + MAX_MADE_UP, sizeof *n.entries)};
    struct buffer block;
    buffer_init(&block);
    block.failed = n.entries == NULL;
    /* From the last node to the first, because the CID of a node is known only when the node is whole. */
    for (unsigned i = 0; i < nodes && !block.failed; i++) {
        bool is_last = i == 0;
        fill(m, &n, records, is_last ? count : 0, dice_pick(&m->dice, entry_counts));
        n.is_leaf = is_last;
        n.child = is_last ? NULL : root;
        buffer_clear(&block);
        append_node(m, &n, &block);
        car_writer_add(car, &block, root);
    }
    car->sections.failed |= block.failed;
    buffer_fini(&block);
    free(n.entries);
}
