/* frame.c: a table for each kind lists the fields of its body. Tables and bodies both have canonical key order, so one
 * walk along both finds every field, and every missing one. */
#include "config.h"

#include "atproto/frame.h"

enum field_type {
    FIELD_TEXT,        /* struct slice */
    FIELD_DID,         /* struct slice, as the next two: text with a limit */
    FIELD_HANDLE,
    FIELD_PATH,
    FIELD_BLOCKS,      /* struct slice: CAR of a commit */
    FIELD_SYNC_BLOCKS, /* struct slice: CAR of a #sync */
    FIELD_LINK,        /* const uint8_t * */
    FIELD_BOOL,        /* bool */
    FIELD_SEQ,         /* int64_t */
    FIELD_ACTION,      /* enum op_action */
    FIELD_OPS,         /* the ops of struct frame */
};

/* OPTIONAL allows both null and absence, because encoders disagree on which of the two means "none". */
enum field_need { REQUIRED, OPTIONAL };

struct field {
    struct cbor_token key;
    enum field_type type;
    enum field_need need;
    size_t offset;
    const char *missing, *wrong;
};

#define FIELD(record, name, member, type_, need_, what)                                                      \
    {                                                                                                        \
        .key = {.kind = CBOR_TEXT, .data = (const uint8_t *)(name), .len = sizeof(name) - 1},                \
        .type = (type_), .need = (need_), .offset = offsetof(struct record, member),                         \
        .missing = name " is missing", .wrong = name " is not " what                                         \
    }
#define TEXT(name, member, need) FIELD(frame, name, member, FIELD_TEXT, need, "text")
#define DID(name)                FIELD(frame, name, did, FIELD_DID, REQUIRED, "text")
#define LINK(name, member, need) FIELD(frame, name, member, FIELD_LINK, need, "a CID")
#define BOOL(name, member, need) FIELD(frame, name, member, FIELD_BOOL, need, "true or false")
#define SEQ                      FIELD(frame, "seq", seq, FIELD_SEQ, REQUIRED, "an integer of 63 bits")

static const struct field commit_fields[] = {
    FIELD(frame, "ops", ops, FIELD_OPS, REQUIRED, "an array"),
    TEXT("rev", rev, REQUIRED),
    SEQ,
    DID("repo"),
    TEXT("time", time, REQUIRED),
    TEXT("since", since, OPTIONAL),
    FIELD(frame, "blocks", blocks, FIELD_BLOCKS, OPTIONAL, "bytes"),
    LINK("commit", commit, REQUIRED),
    BOOL("tooBig", too_big, OPTIONAL),
    LINK("prevData", prev_data, OPTIONAL),
};

static const struct field sync_fields[] = {
    DID("did"),
    TEXT("rev", rev, REQUIRED),
    SEQ,
    TEXT("time", time, REQUIRED),
    FIELD(frame, "blocks", blocks, FIELD_SYNC_BLOCKS, OPTIONAL, "bytes"),
};

static const struct field identity_fields[] = {
    DID("did"),
    SEQ,
    TEXT("time", time, REQUIRED),
    FIELD(frame, "handle", handle, FIELD_HANDLE, OPTIONAL, "text"),
};

static const struct field account_fields[] = {
    DID("did"),       SEQ, TEXT("time", time, REQUIRED), BOOL("active", active, REQUIRED),
    TEXT("status", status, OPTIONAL),
};

static const struct field info_fields[] = {
    TEXT("name", name, REQUIRED),
    TEXT("message", message, OPTIONAL),
};

static const struct field error_fields[] = {
    TEXT("error", name, REQUIRED),
    TEXT("message", message, OPTIONAL),
};

static const struct field op_fields[] = {
    FIELD(frame_op, "cid", cid, FIELD_LINK, OPTIONAL, "a CID"),
    FIELD(frame_op, "path", path, FIELD_PATH, REQUIRED, "text"),
    FIELD(frame_op, "prev", prev, FIELD_LINK, OPTIONAL, "a CID"),
    FIELD(frame_op, "action", action, FIELD_ACTION, REQUIRED, "text"),
};

struct field_table {
    const struct field *fields;
    size_t count;
};
#define TABLE(fields_)                                                                                       \
    {                                                                                                        \
        .fields = (fields_), .count = sizeof(fields_) / sizeof(fields_)[0]                                   \
    }

static const struct field_table body_tables[FRAME_KINDS] = {
    [FRAME_COMMIT] = TABLE(commit_fields),     [FRAME_SYNC] = TABLE(sync_fields),
    [FRAME_IDENTITY] = TABLE(identity_fields), [FRAME_ACCOUNT] = TABLE(account_fields),
    [FRAME_INFO] = TABLE(info_fields),         [FRAME_ERROR] = TABLE(error_fields),
};
static const struct field_table op_table = TABLE(op_fields);

static bool read_map(struct cbor_reader *r, const struct field_table *table, void *record);

static bool read_ops(struct cbor_reader *r, struct frame *f, uint64_t count)
{
    if (count > FRAME_MAX_OPS)
        return cbor_fail(r, "more ops than a commit may have");
    for (; f->op_count < count; f->op_count++) {
        struct frame_op *op = &f->ops[f->op_count];
        *op = (struct frame_op){0};
        if (!read_map(r, &op_table, op))
            return false;
    }
    return true;
}

/* Refuses an unknown action: it cannot be delivered, and the commit would have another meaning without the op. */
static bool read_action(struct cbor_reader *r, const struct cbor_token *t, enum op_action *action)
{
    if (cbor_text_is(t, "create"))
        *action = OP_CREATE;
    else if (cbor_text_is(t, "update"))
        *action = OP_UPDATE;
    else if (cbor_text_is(t, "delete"))
        *action = OP_DELETE;
    else
        return cbor_fail(r, "action is not create, update or delete");
    return true;
}

static enum cbor_kind field_kind(enum field_type type)
{
    static const enum cbor_kind kinds[] = {
        [FIELD_DID] = CBOR_TEXT,    [FIELD_HANDLE] = CBOR_TEXT,  [FIELD_PATH] = CBOR_TEXT,
        [FIELD_TEXT] = CBOR_TEXT,   [FIELD_BLOCKS] = CBOR_BYTES, [FIELD_SYNC_BLOCKS] = CBOR_BYTES,
        [FIELD_LINK] = CBOR_LINK,   [FIELD_BOOL] = CBOR_BOOL,    [FIELD_SEQ] = CBOR_UNSIGNED,
        [FIELD_ACTION] = CBOR_TEXT, [FIELD_OPS] = CBOR_ARRAY,
    };
    return kinds[type];
}

static bool read_blocks(struct cbor_reader *r, const struct cbor_token *t, size_t max, struct slice *blocks)
{
    if (t->len > max)
        return cbor_fail(r, "blocks are larger than allowed");
    *blocks = frame_slice(t);
    return true;
}

/* Takes a text that is within its limit. */
static bool read_bounded(struct cbor_reader *r, const struct cbor_token *t, bool fits, const char *rule,
                         struct slice *text)
{
    *text = frame_slice(t);
    return fits || cbor_fail(r, rule);
}

static bool store(struct cbor_reader *r, const struct field *f, const struct cbor_token *t, void *record)
{
    void *member = (char *)record + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        *(struct slice *)member = frame_slice(t);
        return true;
    case FIELD_DID:
        return read_bounded(r, t, t->len <= FRAME_MAX_DID, "DID is longer than allowed", member);
    case FIELD_HANDLE:
        return read_bounded(r, t, t->len <= FRAME_MAX_HANDLE, "handle is longer than allowed", member);
    case FIELD_PATH:
        return read_bounded(r, t, frame_path_fits(t->data, t->len), "path is longer than allowed", member);
    case FIELD_BLOCKS:
        return read_blocks(r, t, FRAME_MAX_COMMIT_BLOCKS, member);
    case FIELD_SYNC_BLOCKS:
        return read_blocks(r, t, FRAME_MAX_SYNC_BLOCKS, member);
    case FIELD_LINK:
        *(const uint8_t **)member = t->data;
        return true;
    case FIELD_BOOL:
        *(bool *)member = t->value != 0;
        return true;
    case FIELD_SEQ:
        *(int64_t *)member = (int64_t)t->value;
        return t->value <= INT64_MAX || cbor_fail(r, f->wrong);
    case FIELD_ACTION:
        return read_action(r, t, member);
    case FIELD_OPS:
        return read_ops(r, record, t->value);
    }
    return false;
}

static bool read_field(struct cbor_reader *r, const struct field *f, void *record)
{
    const uint8_t *before = r->at;
    struct cbor_token t;
    if (!cbor_next(r, &t))
        return false;
    if (t.kind == CBOR_NULL && f->need == OPTIONAL)
        return true;
    if (t.kind == field_kind(f->type))
        return store(r, f, &t, record);
    r->at = before;
    return cbor_fail(r, f->wrong);
}

static bool is_field(const struct field *f, const struct field *end, const struct cbor_token *key)
{
    return f < end && f->key.len == key->len && memcmp(f->key.data, key->data, key->len) == 0;
}

static bool read_map(struct cbor_reader *r, const struct field_table *table, void *record)
{
    const struct field *f = table->fields, *end = f + table->count;
    struct cbor_token map, key, previous;
    const char *missing = NULL; /* reported last: the field may stand in the wrong order, which is the better reason */
    if (!cbor_expect(r, CBOR_MAP, &map, "not a map"))
        return false;
    for (uint64_t i = 0; i < map.value; i++, previous = key) {
        if (!cbor_next_key(r, i > 0 ? &previous : NULL, &key))
            return false;
        bool known = is_field(f, end, &key);
        for (; !known && f < end && cbor_key_follows(&f->key, &key); known = is_field(++f, end, &key))
            missing = missing == NULL && f->need != OPTIONAL ? f->missing : missing;
        if (!(known ? read_field(r, f++, record) : cbor_skip(r)))
            return false;
    }
    for (; f < end; f++)
        missing = missing == NULL && f->need != OPTIONAL ? f->missing : missing;
    return missing == NULL || cbor_fail(r, missing);
}

/* Accepts any single item as the body of an unknown kind. */
static bool read_unknown(struct cbor_reader *r, const uint8_t *frame, size_t len, struct frame *out)
{
    struct frame_peek peek;
    if (!cbor_skip(r) || !frame_peek(frame, len, &peek, &r->violation))
        return false;
    out->seq = peek.seq;
    out->did = peek.did;
    return true;
}

bool frame_parse(const uint8_t *frame, size_t len, struct frame *out, struct violation *why)
{
    struct cbor_reader r;
    cbor_reader_init(&r, frame, len);
    memset(out, 0, offsetof(struct frame, ops)); /* read_ops() clears each op that it fills */
    if (frame_header_read(&r, &out->kind) &&
        (out->kind == FRAME_UNKNOWN ? read_unknown(&r, frame, len, out)
                                    : read_map(&r, &body_tables[out->kind], out)) &&
        (r.at == r.end || cbor_fail(&r, "bytes behind the body")))
        return true;
    *why = r.violation;
    return false;
}
