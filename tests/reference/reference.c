#include "config.h"

#include "reference.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "text.h"
#include "tree.h"

enum {
    MAX_DEPTH = 128,
    MAX_OPS = 200,
    MAX_COMMIT_BLOCKS = 2000000,
    MAX_SYNC_BLOCKS = 10000,
    MAX_EVENT = 4 << 20,
    MAX_GROWTH = 8,
    FREE_GROWTH = 1024,
    MAX_DID = 2048,
    MAX_COLLECTION = 317,
    MAX_RECORD_KEY = 512,
    MAX_HANDLE = 253
};

/* ---- fields ---- */

/* Depth is counted from each value that a known map holds. */
static bool values_are_shallow(const cbor_item_t *map)
{
    for (size_t i = 0; i < cbor_map_size(map); i++)
        if (tree_depth(cbor_map_handle(map)[i].value) > MAX_DEPTH)
            return false;
    return true;
}

static bool has_text(const cbor_item_t *map, const char *key)
{
    return tree_is_text(tree_get(map, key));
}

/* Present and of the kind, or absent, or null. */
#define MAY_BE(map, key, test)                                                                               \
    (tree_get(map, key) == NULL || tree_is_null(tree_get(map, key)) || test(tree_get(map, key)))

static bool is_bool(const cbor_item_t *item)
{
    return cbor_isa_float_ctrl(item) && cbor_float_get_width(item) == CBOR_FLOAT_0 && cbor_is_bool(item);
}

static bool is_bytes(const cbor_item_t *item)
{
    return cbor_isa_bytestring(item);
}

static bool is_sequence_number(const cbor_item_t *item)
{
    return item != NULL && cbor_isa_uint(item) && cbor_get_int(item) <= INT64_MAX;
}

static bool is_within(const cbor_item_t *text, size_t max)
{
    return text == NULL || tree_is_null(text) || cbor_string_length(text) <= max;
}

/* The collection ends at the first slash, or with the path. */
static bool path_is_within(const cbor_item_t *path)
{
    size_t len = cbor_string_length(path), at = 0;
    while (at < len && cbor_string_handle(path)[at] != '/')
        at++;
    return at <= MAX_COLLECTION && (at == len || len - at - 1 <= MAX_RECORD_KEY);
}

/* ---- checks of the envelope ---- */

static bool header_kind(const cbor_item_t *header, enum frame_kind *kind)
{
    static const struct {
        const char *t;
        enum frame_kind kind;
    } kinds[] = {{"#commit", FRAME_COMMIT},
                 {"#sync", FRAME_SYNC},
                 {"#identity", FRAME_IDENTITY},
                 {"#account", FRAME_ACCOUNT},
                 {"#info", FRAME_INFO}};
    if (!cbor_isa_map(header) || !values_are_shallow(header))
        return false;
    const cbor_item_t *op = tree_get(header, "op"), *t = tree_get(header, "t");
    if (op == NULL || !(cbor_isa_uint(op) || cbor_isa_negint(op)) || (t != NULL && !tree_is_text(t)))
        return false;
    *kind = FRAME_UNKNOWN;
    if (cbor_isa_negint(op)) {
        if (cbor_get_int(op) == 0)
            *kind = FRAME_ERROR;
        return true;
    }
    if (cbor_get_int(op) != 1)
        return true;
    if (t == NULL)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (tree_text_is(t, kinds[i].t))
            *kind = kinds[i].kind;
    return true;
}

static bool op_is_valid(const cbor_item_t *op)
{
    if (!cbor_isa_map(op) || !values_are_shallow(op))
        return false;
    const cbor_item_t *action = tree_get(op, "action");
    return (tree_text_is(action, "create") || tree_text_is(action, "update") || tree_text_is(action, "delete")) &&
           has_text(op, "path") && path_is_within(tree_get(op, "path")) && MAY_BE(op, "cid", tree_is_link) &&
           MAY_BE(op, "prev", tree_is_link);
}

static bool blocks_are_valid(const cbor_item_t *body, size_t max)
{
    const cbor_item_t *blocks = tree_get(body, "blocks");
    return MAY_BE(body, "blocks", is_bytes) &&
           (blocks == NULL || tree_is_null(blocks) || cbor_bytestring_length(blocks) <= max);
}

static bool commit_is_valid(const cbor_item_t *body)
{
    const cbor_item_t *ops = tree_get(body, "ops"), *blocks = tree_get(body, "blocks");
    if (ops == NULL || !cbor_isa_array(ops) || cbor_array_size(ops) > MAX_OPS)
        return false;
    for (size_t i = 0; i < cbor_array_size(ops); i++)
        if (!op_is_valid(cbor_array_handle(ops)[i]))
            return false;
    if (!has_text(body, "repo") || !is_within(tree_get(body, "repo"), MAX_DID) || !has_text(body, "rev") ||
        !has_text(body, "time") || !MAY_BE(body, "since", tree_is_text) || !MAY_BE(body, "prevData", tree_is_link) ||
        !MAY_BE(body, "tooBig", is_bool) || !tree_is_link(tree_get(body, "commit")) ||
        !blocks_are_valid(body, MAX_COMMIT_BLOCKS))
        return false;
    return blocks == NULL || tree_is_null(blocks) || cbor_bytestring_length(blocks) == 0 ||
           blocks_are_car(cbor_bytestring_handle(blocks), cbor_bytestring_length(blocks));
}

static bool body_is_valid(const cbor_item_t *body, enum frame_kind kind)
{
    if (kind == FRAME_UNKNOWN)
        return tree_depth(body) <= MAX_DEPTH;
    if (!cbor_isa_map(body))
        return false;
    for (size_t i = 0; i < cbor_map_size(body); i++) {
        const struct cbor_pair *pair = &cbor_map_handle(body)[i];
        bool is_ops = kind == FRAME_COMMIT && tree_text_is(pair->key, "ops"); /* looked at by itself */
        if (!is_ops && tree_depth(pair->value) > MAX_DEPTH)
            return false;
    }
    if (kind == FRAME_INFO || kind == FRAME_ERROR)
        return has_text(body, kind == FRAME_INFO ? "name" : "error") && MAY_BE(body, "message", tree_is_text);
    if (!is_sequence_number(tree_get(body, "seq")))
        return false;
    if (kind == FRAME_COMMIT)
        return commit_is_valid(body);
    if (!has_text(body, "did") || !is_within(tree_get(body, "did"), MAX_DID) || !has_text(body, "time"))
        return false;
    if (kind == FRAME_SYNC)
        return has_text(body, "rev") && blocks_are_valid(body, MAX_SYNC_BLOCKS);
    if (kind == FRAME_IDENTITY)
        return MAY_BE(body, "handle", tree_is_text) && is_within(tree_get(body, "handle"), MAX_HANDLE);
    const cbor_item_t *active = tree_get(body, "active");
    return active != NULL && is_bool(active) && MAY_BE(body, "status", tree_is_text);
}

/* ---- writing, as text and as a tree at once ---- */

struct writer {
    FILE *out;
    json_t *object; /* NULL once jansson had no place for something */
    bool is_first;
};

static void begin(struct writer *w, FILE *out)
{
    *w = (struct writer){.out = out, .object = json_object(), .is_first = true};
    fputc('{', out);
}

static json_t *end(struct writer *w)
{
    fputc('}', w->out);
    return w->object;
}

static void take(struct writer *w, const char *key, json_t *value)
{
    if (w->object != NULL && json_object_set_new(w->object, key, value) == 0)
        return;
    if (w->object == NULL)
        json_decref(value);
    json_decref(w->object);
    w->object = NULL;
}

static void name(struct writer *w, const char *key)
{
    fprintf(w->out, "%s\"%s\":", w->is_first ? "" : ",", key);
    w->is_first = false;
}

static void put_item(struct writer *w, const char *key, const cbor_item_t *item)
{
    name(w, key);
    text_write(w->out, item);
    take(w, key, json_from_item(item));
}

static void put_null(struct writer *w, const char *key)
{
    name(w, key);
    fputs("null", w->out);
    take(w, key, json_null());
}

static void put_cid(struct writer *w, const char *key, const cbor_item_t *link)
{
    name(w, key);
    fprintf(w->out, "\"%s\"", cid_text(tree_cid(link)));
    take(w, key, json_string(cid_text(tree_cid(link))));
}

static bool is_there(const cbor_item_t *item)
{
    return item != NULL && !tree_is_null(item);
}

/* ---- ops ---- */

static bool digest_is(const uint8_t *block, size_t len, const uint8_t *cid)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    return EVP_Digest(block, len, digest, NULL, EVP_sha256(), NULL) == 1 && memcmp(digest, cid + 4, 32) == 0;
}

/* The record of an op, to be freed with cbor_decref(); or NULL and why not. */
static cbor_item_t *load_record(const cbor_item_t *op, const cbor_item_t *blocks, enum op_drop *why)
{
    const cbor_item_t *link = tree_get(op, "cid");
    size_t len, consumed;
    *why = OP_DROP_NO_CID;
    if (!is_there(link))
        return NULL;
    const uint8_t *cid = tree_cid(link), *block = NULL;
    if (is_there(blocks))
        block = blocks_find(cbor_bytestring_handle(blocks), cbor_bytestring_length(blocks), cid, &len);
    *why = block == NULL ? OP_DROP_NO_BLOCK : OP_DROP_HASH_MISMATCH;
    if (block == NULL || !digest_is(block, len, cid))
        return NULL;
    *why = OP_DROP_BAD_RECORD;
    cbor_item_t *record = cid[1] == 0x71 ? tree_load(block, len, &consumed) : NULL;
    if (record == NULL)
        return NULL;
    if (consumed == len && cbor_isa_map(record) && tree_depth(record) <= MAX_DEPTH) {
        const cbor_item_t *type = tree_get(record, "$type");
        if (tree_is_text(type) && cbor_string_length(type) > 0)
            return record;
        *why = OP_DROP_NO_TYPE;
    }
    cbor_decref(&record);
    return NULL;
}

static void note_drop(struct reference_event *event, size_t op, enum op_drop why)
{
    event->dropped[why]++;
    if (!event->has_drop) {
        event->has_drop = true;
        event->first_drop = why;
        event->first_drop_op = op;
    }
}

static json_t *put_op(FILE *out, const cbor_item_t *op, const cbor_item_t *record, bool extended)
{
    struct writer w;
    const cbor_item_t *prev = tree_get(op, "prev");
    begin(&w, out);
    put_item(&w, "action", tree_get(op, "action"));
    put_item(&w, "path", tree_get(op, "path"));
    if (record != NULL)
        put_cid(&w, "cid", tree_get(op, "cid"));
    if (extended && is_there(prev))
        put_cid(&w, "prev", prev);
    if (record != NULL)
        put_item(&w, "record", record);
    return end(&w);
}

static void put_ops(struct writer *w, const cbor_item_t *body, bool extended, struct reference_event *event)
{
    const cbor_item_t *ops = tree_get(body, "ops");
    json_t *array = json_array();
    bool is_first = true;
    name(w, "ops");
    fputc('[', w->out);
    for (size_t i = 0; i < cbor_array_size(ops); i++) {
        const cbor_item_t *op = cbor_array_handle(ops)[i];
        bool is_delete = tree_text_is(tree_get(op, "action"), "delete");
        enum op_drop why;
        cbor_item_t *record = is_delete ? NULL : load_record(op, tree_get(body, "blocks"), &why);
        if (!is_delete && record == NULL) {
            note_drop(event, i, why);
            continue;
        }
        if (!is_first)
            fputc(',', w->out);
        is_first = false;
        json_t *one = put_op(w->out, op, record, extended);
        if (array != NULL && json_array_append_new(array, one) != 0) {
            json_decref(array);
            array = NULL;
        } else if (array == NULL) {
            json_decref(one);
        }
        if (record != NULL)
            cbor_decref(&record);
        if (ftell(w->out) > MAX_EVENT) { /* enough to know */
            event->outcome = EVENT_REFUSED;
            break;
        }
    }
    fputc(']', w->out);
    take(w, "ops", array);
}

/* ---- events ---- */

static void put_commit(struct writer *w, const cbor_item_t *body, bool extended,
                       struct reference_event *event)
{
    put_item(w, "repo", tree_get(body, "repo"));
    if (extended) {
        put_item(w, "rev", tree_get(body, "rev"));
        if (is_there(tree_get(body, "since")))
            put_item(w, "since", tree_get(body, "since"));
        else
            put_null(w, "since");
        put_item(w, "time", tree_get(body, "time"));
        put_cid(w, "commit", tree_get(body, "commit"));
        if (is_there(tree_get(body, "prevData")))
            put_cid(w, "prevData", tree_get(body, "prevData"));
    }
    put_ops(w, body, extended, event);
}

static void put_event(struct writer *w, const cbor_item_t *body, bool extended, struct reference_event *event)
{
    if (event->kind == FRAME_COMMIT) {
        put_commit(w, body, extended, event);
        return;
    }
    put_item(w, "did", tree_get(body, "did"));
    if (event->kind == FRAME_IDENTITY) {
        const cbor_item_t *handle = tree_get(body, "handle");
        bool has_handle = is_there(handle) && cbor_string_length(handle) > 0;
        put_item(w, "handle", has_handle ? handle : tree_get(body, "did"));
    } else if (event->kind == FRAME_ACCOUNT) {
        put_item(w, "active", tree_get(body, "active"));
        if (extended && is_there(tree_get(body, "status")))
            put_item(w, "status", tree_get(body, "status"));
    } else {
        put_item(w, "rev", tree_get(body, "rev"));
    }
    if (extended)
        put_item(w, "time", tree_get(body, "time"));
}

static void write_event(const cbor_item_t *body, bool extended, struct reference_event *event)
{
    struct writer w;
    FILE *out = open_memstream(&event->text, &event->text_len);
    if (out == NULL)
        abort();
    begin(&w, out);
    put_event(&w, body, extended, event);
    event->tree = end(&w);
    fclose(out);
}

static bool is_delivered(enum frame_kind kind, bool extended)
{
    return kind == FRAME_COMMIT || kind == FRAME_IDENTITY || kind == FRAME_ACCOUNT ||
           (kind == FRAME_SYNC && extended);
}

static void judge(const cbor_item_t *header, const cbor_item_t *body, bool extended, size_t len,
                  struct reference_event *event)
{
    if (!header_kind(header, &event->kind) || !body_is_valid(body, event->kind))
        return;
    bool has_seq = event->kind <= FRAME_ACCOUNT;
    event->seq = has_seq ? (int64_t)cbor_get_int(tree_get(body, "seq")) : 0;
    event->outcome = is_delivered(event->kind, extended) ? EVENT_READY : EVENT_FILTERED;
    if (event->outcome == EVENT_READY)
        write_event(body, extended, event);
    if (event->text_len > MAX_EVENT || event->text_len > len * MAX_GROWTH + FREE_GROWTH)
        event->outcome = EVENT_REFUSED;
    if (event->outcome == EVENT_REFUSED)
        reference_event_fini(event);
}

void reference_event(const uint8_t *frame, size_t len, bool extended, struct reference_event *out)
{
    size_t header_len, body_len;
    *out = (struct reference_event){.outcome = EVENT_REFUSED};
    cbor_item_t *header = tree_load(frame, len, &header_len);
    if (header == NULL)
        return;
    cbor_item_t *body = tree_load(frame + header_len, len - header_len, &body_len);
    if (body != NULL) {
        if (header_len + body_len == len)
            judge(header, body, extended, len, out);
        cbor_decref(&body);
    }
    cbor_decref(&header);
}

void reference_event_fini(struct reference_event *event)
{
    free(event->text);
    json_decref(event->tree);
    *event = (struct reference_event){.outcome = EVENT_REFUSED};
}

char *reference_item_text(const uint8_t *bytes, size_t len, size_t *consumed)
{
    char *text = NULL;
    size_t text_len;
    cbor_item_t *item = tree_load(bytes, len, consumed);
    if (item == NULL)
        return NULL;
    if (tree_depth(item) <= MAX_DEPTH) {
        FILE *out = open_memstream(&text, &text_len);
        if (out == NULL)
            abort();
        text_write(out, item);
        fclose(out);
    }
    cbor_decref(&item);
    return text;
}

/* ---- holding one against the other ---- */

__attribute__((format(printf, 1, 2))) static const char *complain(const char *format, ...)
{
    static char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return text;
}

static const char *outcome_name(enum event_outcome outcome)
{
    return outcome == EVENT_READY ? "ready" : outcome == EVENT_FILTERED ? "filtered" : "refused";
}

static const char *compare_drops(const struct reference_event *expected, const struct event *event,
                                 size_t len)
{
    for (int i = 0; i < OP_DROPS; i++)
        if (expected->dropped[i] != event->dropped[i])
            return complain("%u ops dropped for %s, expected %u", event->dropped[i],
                            op_drop_name((enum op_drop)i), expected->dropped[i]);
    if (expected->has_drop != event->has_drop)
        return complain("has_drop is %d", event->has_drop);
    if (!expected->has_drop)
        return NULL;
    if (event->first_drop != expected->first_drop || event->first_drop_op != expected->first_drop_op)
        return complain("first drop: op %zu for %s, expected op %zu for %s", event->first_drop_op,
                        op_drop_name(event->first_drop), expected->first_drop_op,
                        op_drop_name(expected->first_drop));
    return event->first_drop_why.rule != NULL && event->first_drop_why.offset <= len
               ? NULL
               : "a drop without a reason";
}

/* Where jansson could hold the event, it must read it, and read the same. */
static const char *compare_parsed(const struct reference_event *expected, const void *json, size_t json_len)
{
    json_error_t why;
    if (expected->tree == NULL)
        return NULL;
    json_t *read = json_loadb(json, json_len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (read == NULL)
        return complain("jansson does not read the event: %s at %d", why.text, why.position);
    bool same = json_equal(read, expected->tree) == 1;
    json_decref(read);
    return same ? NULL : "what jansson reads is not what the frame says";
}

static const char *compare_event(const struct reference_event *expected, enum event_outcome outcome,
                                 const struct event *event, const void *json, size_t json_len, size_t len)
{
    if (outcome != expected->outcome)
        return complain("the frame is %s (%s at %zu), expected %s", outcome_name(outcome),
                        outcome == EVENT_REFUSED ? event->violation.rule : "-", event->violation.offset,
                        outcome_name(expected->outcome));
    if (outcome == EVENT_REFUSED) {
        if (json_len != 0)
            return "a refused frame left output behind";
        return event->violation.rule != NULL && event->violation.offset <= len ? NULL
                                                                               : "a refusal without a reason";
    }
    if (event->frame.kind != expected->kind)
        return complain("kind %s, expected %s", frame_kind_name(event->frame.kind),
                        frame_kind_name(expected->kind));
    if (expected->kind <= FRAME_ACCOUNT && event->frame.seq != expected->seq)
        return complain("seq %lld, expected %lld", (long long)event->frame.seq, (long long)expected->seq);
    if (outcome == EVENT_FILTERED)
        return json_len == 0 ? NULL : "a filtered frame left output behind";
    if (json_len != expected->text_len || memcmp(json, expected->text, json_len) != 0)
        return complain("JSON differs:\n%.*s\nexpected:\n%s", json_len > 1500 ? 1500 : (int)json_len,
                        (const char *)json, expected->text);
    const char *wrong = compare_drops(expected, event, len);
    return wrong != NULL ? wrong : compare_parsed(expected, json, json_len);
}

const char *reference_disagrees(const uint8_t *frame, size_t len, bool extended, enum event_outcome outcome,
                                const struct event *event, const void *json, size_t json_len)
{
    struct reference_event expected;
    reference_event(frame, len, extended, &expected);
    const char *wrong = compare_event(&expected, outcome, event, json, json_len, len);
    reference_event_fini(&expected);
    return wrong;
}
