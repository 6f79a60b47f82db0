#include "config.h"

#include "commit_make.h"

#include <stdio.h>
#include <string.h>

#include "atproto/frame.h"
#include "base/clock.h"
#include "cbor_write.h"
#include "tree_make.h"

enum { SIGNATURE_BYTES = 64, REPO_VERSION = 3 };

/* One op of a commit. */
struct op {
    enum op_action action;
    char path[PATH_TEXT_BYTES];
    uint8_t cid[CID_BYTES];  /* unset for OP_DELETE */
    uint8_t prev[CID_BYTES]; /* unset for OP_CREATE */
};

bool commit_maker_init(struct commit_maker *c, struct repo_model *model)
{
    *c = (struct commit_maker){.model = model};
    record_maker_init(&c->records, model);
    return car_writer_init(&c->car);
}

void commit_maker_fini(struct commit_maker *c)
{
    record_maker_fini(&c->records);
    car_writer_fini(&c->car);
    buffer_fini(&c->block);
}

void frame_header_append(const char *t, struct buffer *out)
{
    cbor_write_map(out, 2);
    cbor_pair_text(out, "t", t);
    cbor_pair_int(out, "op", 1);
}

/* ---- ops ---- */

static size_t pick_op_count(struct dice *d)
{
    if (dice_permille(d, 975))
        return 1;
    /* An import, a thread, a clean-up; the lexicon allows 200. */
    return dice_permille(d, 900) ? dice_between(d, 2, 8) : dice_between(d, 20, 60);
}

static enum op_action pick_action(struct dice *d)
{
    uint32_t at = dice_below(d, 1000);
    return at < 30 ? OP_DELETE : at < 42 ? OP_UPDATE : OP_CREATE;
}

/* Copies the part of the path in front of the rkey. */
static void split_collection(const char *path, char collection[PATH_TEXT_BYTES])
{
    snprintf(collection, PATH_TEXT_BYTES, "%.*s", (int)strcspn(path, "/"), path);
}

/* Makes a path for a new record. A profile has the fixed key "self". */
static void make_path(struct commit_maker *c, struct repo *repo, char path[PATH_TEXT_BYTES])
{
    const char *collection = collection_pick(&c->model->dice);
    char rkey[TID_TEXT_BYTES];
    repo_next_tid(c->model, repo, rkey);
    bool is_single = strcmp(collection, "app.bsky.actor.profile") == 0;
    snprintf(path, PATH_TEXT_BYTES, "%s/%s", collection, is_single ? "self" : rkey);
}

/* Takes an older record: one that this repository made, or a made-up one from before the capture. */
static void take_known(struct commit_maker *c, struct repo *repo, struct op *op)
{
    struct known_record known;
    if (repo_forget(c->model, repo, &known)) {
        memcpy(op->path, known.path, sizeof op->path);
        memcpy(op->prev, known.cid, sizeof op->prev);
        return;
    }
    char rkey[TID_TEXT_BYTES];
    past_tid(c->model, rkey);
    snprintf(op->path, sizeof op->path, "%s/%s", collection_pick(&c->model->dice), rkey);
    random_cid(&c->model->dice, CID_CODEC_DAG_CBOR, op->prev);
}

/* Makes an op and adds its record to the CAR. */
static void make_op(struct commit_maker *c, struct repo *repo, struct op *op)
{
    char collection[PATH_TEXT_BYTES];
    op->action = pick_action(&c->model->dice);
    if (op->action == OP_CREATE)
        make_path(c, repo, op->path);
    else
        take_known(c, repo, op);
    if (op->action == OP_DELETE)
        return;
    split_collection(op->path, collection);
    buffer_clear(&c->block);
    record_append(&c->records, collection, &c->block);
    car_writer_add(&c->car, &c->block, op->cid);
}

static void append_op(const struct op *op, struct buffer *out)
{
    static const char *const actions[] = {[OP_CREATE] = "create", [OP_UPDATE] = "update", [OP_DELETE] = "delete"};
    cbor_write_map(out, op->action == OP_CREATE ? 3 : 4);
    cbor_pair_link(out, "cid", op->action == OP_DELETE ? NULL : op->cid);
    cbor_pair_text(out, "path", op->path);
    if (op->action != OP_CREATE)
        cbor_pair_link(out, "prev", op->prev);
    cbor_pair_text(out, "action", actions[op->action]);
}

/* ---- blocks ---- */

/* Adds the commit's own block: {did, rev, sig, data, prev, version}. The signature is random bytes. */
static void add_commit_block(struct commit_maker *c, const struct repo *repo, const char *rev,
                             const uint8_t data[CID_BYTES], uint8_t cid[CID_BYTES])
{
    uint8_t signature[SIGNATURE_BYTES];
    struct buffer *b = &c->block;
    dice_bytes(&c->model->dice, signature, sizeof signature);
    buffer_clear(b);
    cbor_write_map(b, 6);
    cbor_pair_text(b, "did", repo->did);
    cbor_pair_text(b, "rev", rev);
    cbor_write_text(b, "sig");
    cbor_write_bytes(b, signature, sizeof signature);
    cbor_pair_link(b, "data", data);
    cbor_pair_link(b, "prev", NULL);
    cbor_pair_int(b, "version", REPO_VERSION);
    car_writer_add(&c->car, b, cid);
}

static void add_tree(struct commit_maker *c, const struct op *ops, size_t count, uint8_t root[CID_BYTES])
{
    struct tree_record records[FRAME_MAX_OPS];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].action == OP_DELETE)
            continue;
        memcpy(records[kept].path, ops[i].path, sizeof records[kept].path);
        memcpy(records[kept].cid, ops[i].cid, CID_BYTES);
        kept++;
    }
    tree_make(c->model, records, kept, &c->car, root);
}

/* ---- frames ---- */

struct commit {
    uint64_t seq;
    struct repo *repo;
    char rev[TID_TEXT_BYTES];
    uint8_t cid[CID_BYTES];
    uint8_t data[CID_BYTES];
    size_t op_count;
    struct op ops[FRAME_MAX_OPS];
};

static void append_body(const struct commit_maker *c, const struct commit *k, struct buffer *out)
{
    char time[CLOCK_TEXT_BYTES];
    clock_format_utc((int64_t)c->model->now_us, time);
    cbor_write_map(out, 12);
    cbor_write_text(out, "ops");
    cbor_write_array(out, k->op_count);
    for (size_t i = 0; i < k->op_count; i++)
        append_op(&k->ops[i], out);
    cbor_pair_text(out, "rev", k->rev);
    cbor_pair_int(out, "seq", (int64_t)k->seq);
    cbor_pair_text(out, "repo", k->repo->did);
    cbor_pair_text(out, "time", time);
    cbor_write_text(out, "blobs"); /* deprecated and always empty */
    cbor_write_array(out, 0);
    cbor_write_text(out, "since");
    if (k->repo->rev[0] != '\0')
        cbor_write_text(out, k->repo->rev);
    else
        cbor_write_null(out);
    cbor_write_text(out, "blocks");
    car_writer_append(&c->car, k->cid, out);
    cbor_pair_link(out, "commit", k->cid);
    cbor_pair_bool(out, "rebase", false);
    cbor_pair_bool(out, "tooBig", false);
    cbor_pair_link(out, "prevData", k->repo->data);
}

/* Updates the repository after the commit. */
static void settle(struct commit_maker *c, const struct commit *k)
{
    memcpy(k->repo->rev, k->rev, sizeof k->repo->rev);
    memcpy(k->repo->data, k->data, CID_BYTES);
    for (size_t i = 0; i < k->op_count; i++)
        if (k->ops[i].action != OP_DELETE)
            repo_remember(c->model, k->repo, k->ops[i].path, k->ops[i].cid);
}

void commit_append(struct commit_maker *c, uint64_t seq, struct buffer *out)
{
    struct commit k = {.seq = seq, .repo = repo_model_pick(c->model)};
    car_writer_clear(&c->car);
    k.op_count = pick_op_count(&c->model->dice);
    for (size_t i = 0; i < k.op_count; i++)
        make_op(c, k.repo, &k.ops[i]);
    add_tree(c, k.ops, k.op_count, k.data);
    repo_next_tid(c->model, k.repo, k.rev);
    add_commit_block(c, k.repo, k.rev, k.data, k.cid);
    frame_header_append("#commit", out);
    append_body(c, &k, out);
    settle(c, &k);
}

void sync_append(struct commit_maker *c, uint64_t seq, struct buffer *out)
{
    struct repo *repo = repo_model_pick(c->model);
    char time[CLOCK_TEXT_BYTES], rev[TID_TEXT_BYTES];
    uint8_t cid[CID_BYTES];
    car_writer_clear(&c->car);
    repo_next_tid(c->model, repo, rev);
    memcpy(repo->rev, rev, sizeof repo->rev);
    add_commit_block(c, repo, rev, repo->data, cid);
    clock_format_utc((int64_t)c->model->now_us, time);
    frame_header_append("#sync", out);
    cbor_write_map(out, 5);
    cbor_pair_text(out, "did", repo->did);
    cbor_pair_text(out, "rev", rev);
    cbor_pair_int(out, "seq", (int64_t)seq);
    cbor_pair_text(out, "time", time);
    cbor_write_text(out, "blocks");
    car_writer_append(&c->car, cid, out);
}
