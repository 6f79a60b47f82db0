/* The strict reader. Heads are taken apart here, by hand: most tokens are one byte and a few of text, and a decoder
 * that calls back for each of them spends more on the calls than on the bytes. Tests hold it against libcbor's.
 *
 * Invariants: start <= at <= end; no byte at or behind `end` is read; a token that was returned lies wholly
 * in front of `at`; a count of items was never larger than the bytes left for them, so no loop over it can be
 * driven further than the input reaches. */
#include "config.h"

#include "atproto/cbor.h"

#include <string.h>

#include "atproto/cid.h"
#include "base/json_text.h"
#include "cbor_internal.h"

enum { TAG_LINK = 42 };

/* The lower five bits of an item of MAJOR_SIMPLE. */
enum simple {
    SIMPLE_FALSE = 20,
    SIMPLE_TRUE = 21,
    SIMPLE_NULL = 22,
    SIMPLE_UNDEFINED = 23,
    SIMPLE_FLOATS = 25, /* of 2, 4, 8 bytes */
};

#define RULE_ENDS "ends in the middle of an item"
#define RULE_NO_ITEM "not an item of DAG-CBOR"

/* An item's head: what its first byte says, and the bytes that belong to it. */
struct head {
    enum major major;
    bool is_shortest;
    uint64_t value;
    const uint8_t *end;
};

void cbor_reader_init(struct cbor_reader *r, const uint8_t *bytes, size_t len)
{
    *r = (struct cbor_reader){.start = bytes, .at = bytes, .end = bytes + len};
}

void cbor_note(struct cbor_reader *r, const char *rule)
{
    r->violation = (struct violation){.rule = rule, .offset = (size_t)(r->at - r->start)};
}

/* The value behind a first byte whose lower bits are above 23. */
static bool read_long_head(struct cbor_reader *r, struct head *h)
{
    static const uint64_t above[] = {INFO_MAX_VALUE, UINT8_MAX, UINT16_MAX, UINT32_MAX}; /* what a shorter one holds */
    unsigned info = (unsigned)h->value;
    if (info > INFO_MAX_LENGTH) {
        bool may_be_indefinite = h->major >= MAJOR_BYTES && h->major <= MAJOR_MAP;
        return cbor_fail(r, info == INFO_INDEFINITE && may_be_indefinite ? "indefinite length" : RULE_NO_ITEM);
    }
    unsigned form = info - INFO_MAX_VALUE - 1;
    size_t bytes = (size_t)1 << form;
    if (bytes > (size_t)(r->end - h->end))
        return cbor_fail(r, RULE_ENDS);
    h->value = 0;
    for (size_t i = 0; i < bytes; i++)
        h->value = h->value << 8 | h->end[i];
    h->end += bytes;
    h->is_shortest = h->value > above[form];
    return true;
}

static inline bool read_head(struct cbor_reader *r, struct head *h)
{
    if (r->at == r->end)
        return cbor_fail(r, RULE_ENDS);
    uint8_t first = *r->at;
    *h = (struct head){.major = first >> 5, .is_shortest = true, .value = first & 31, .end = r->at + 1};
    return h->value <= INFO_MAX_VALUE || h->major == MAJOR_SIMPLE || read_long_head(r, h);
}

static bool not_shortest(struct cbor_reader *r)
{
    return cbor_fail(r, "integer or length not in its shortest form");
}

static inline bool take_number(struct cbor_reader *r, const struct head *h, enum cbor_kind kind, struct cbor_token *t)
{
    if (!h->is_shortest)
        return not_shortest(r);
    t->kind = kind;
    t->value = h->value;
    t->data = NULL;
    t->len = 0;
    r->at = h->end;
    return true;
}

/* A byte string or text, without a look at what is in it. */
static inline bool take_string(struct cbor_reader *r, const struct head *h, enum cbor_kind kind, struct cbor_token *t)
{
    if (h->value > (size_t)(r->end - h->end))
        return cbor_fail(r, RULE_ENDS);
    if (!h->is_shortest)
        return not_shortest(r);
    t->kind = kind;
    t->value = h->value;
    t->data = h->end;
    t->len = (size_t)h->value;
    r->at = h->end + h->value;
    return true;
}

/* true, false and null; all else of this kind is refused, each for its own reason. */
static bool take_simple(struct cbor_reader *r, const struct head *h, struct cbor_token *t)
{
    if (h->value == SIMPLE_FALSE || h->value == SIMPLE_TRUE || h->value == SIMPLE_NULL) {
        take_number(r, h, h->value == SIMPLE_NULL ? CBOR_NULL : CBOR_BOOL, t);
        t->value = h->value == SIMPLE_TRUE;
        return true;
    }
    if (h->value == SIMPLE_UNDEFINED)
        return cbor_fail(r, "undefined is not in the data model");
    if (h->value >= SIMPLE_FLOATS && h->value <= INFO_MAX_LENGTH) {
        size_t bytes = (size_t)2 << (h->value - SIMPLE_FLOATS);
        bool is_whole = bytes <= (size_t)(r->end - h->end);
        return cbor_fail(r, is_whole ? "floats are not in the data model" : RULE_ENDS);
    }
    return cbor_fail(r, h->value == INFO_INDEFINITE ? "break without an indefinite length" : RULE_NO_ITEM);
}

/* What follows a head that is no tag's. Whether its value may be what it is is for the caller. */
static inline bool take_item(struct cbor_reader *r, const struct head *h, struct cbor_token *t)
{
    switch (h->major) {
    case MAJOR_TEXT:
        return take_string(r, h, CBOR_TEXT, t);
    case MAJOR_BYTES:
        return take_string(r, h, CBOR_BYTES, t);
    case MAJOR_UNSIGNED:
        return take_number(r, h, CBOR_UNSIGNED, t);
    case MAJOR_NEGATIVE:
        return take_number(r, h, CBOR_NEGATIVE, t);
    case MAJOR_ARRAY:
        return take_number(r, h, CBOR_ARRAY, t);
    case MAJOR_MAP:
        return take_number(r, h, CBOR_MAP, t);
    default:
        return take_simple(r, h, t);
    }
}

/* Behind the head of tag 42: the byte string 0x00 CID. The token becomes the CID itself. */
static bool take_link(struct cbor_reader *r, const struct head *tag, struct cbor_token *t)
{
    struct head h;
    if (!tag->is_shortest)
        return not_shortest(r);
    if (tag->value != TAG_LINK)
        return cbor_fail(r, "a tag other than 42");
    r->at = tag->end;
    if (!read_head(r, &h))
        return false;
    if (h.major == MAJOR_TAG) {
        if (!h.is_shortest)
            return not_shortest(r);
    } else if (!take_item(r, &h, t)) {
        return false;
    } else if (t->kind == CBOR_BYTES && t->len == CID_BYTES + 1 && t->data[0] == 0x00 &&
               cid_valid(t->data + 1, CID_BYTES)) {
        t->kind = CBOR_LINK;
        t->data++;
        t->len--;
        return true;
    }
    r->at = tag->end;
    return cbor_fail(r, "tag 42 without a valid CID");
}

/* Tag 42, 37 bytes, 0x00 and a CID, as every encoder writes it: five or more of a commit's tokens. */
static bool take_usual_link(struct cbor_reader *r, struct cbor_token *t)
{
    static const uint8_t front[] = {MAJOR_TAG << 5 | 24, TAG_LINK, MAJOR_BYTES << 5 | 24, CID_BYTES + 1, 0x00};
    const uint8_t *at = r->at;
    if ((size_t)(r->end - at) < sizeof front + CID_BYTES || memcmp(at, front, sizeof front) != 0 ||
        !cid_valid(at + sizeof front, CID_BYTES))
        return false;
    return cbor_take(r, t, CBOR_LINK, CID_BYTES + 1, at + sizeof front, CID_BYTES, at + sizeof front + CID_BYTES);
}

/* The token was read, but its value may not be: the reader goes back to where it began. */
static bool refuse(struct cbor_reader *r, const uint8_t *before, const char *rule)
{
    r->at = before;
    return cbor_fail(r, rule);
}

bool cbor_next_slowly(struct cbor_reader *r, struct cbor_token *t)
{
    const uint8_t *before = r->at;
    struct head h;
    if (take_usual_link(r, t))
        return true;
    if (!read_head(r, &h))
        return false;
    if (h.major == MAJOR_TAG)
        return take_link(r, &h, t);
    if (!take_item(r, &h, t))
        return false;
    /* An item takes a byte at least. */
    if (h.major == MAJOR_MAP && h.value > (size_t)(r->end - r->at) / 2)
        return refuse(r, before, "more items than bytes are left");
    if (h.major == MAJOR_ARRAY && h.value > (size_t)(r->end - r->at))
        return refuse(r, before, "more items than bytes are left");
    if (h.major == MAJOR_NEGATIVE && h.value > INT64_MAX)
        return refuse(r, before, "integer below -2^63");
    return true;
}

bool cbor_fail_text(struct cbor_reader *r, const uint8_t *bad)
{
    r->at = bad;
    return cbor_fail(r, "text is not valid UTF-8");
}

bool cbor_next(struct cbor_reader *r, struct cbor_token *t)
{
    size_t bad;
    if (!cbor_next_unchecked(r, t))
        return false;
    return t->kind != CBOR_TEXT || utf8_valid(t->data, t->len, &bad) || cbor_fail_text(r, t->data + bad);
}

bool cbor_expect(struct cbor_reader *r, enum cbor_kind kind, struct cbor_token *t, const char *rule)
{
    const uint8_t *before = r->at;
    if (!cbor_next(r, t))
        return false;
    if (t->kind == kind)
        return true;
    r->at = before;
    return cbor_fail(r, rule);
}

bool cbor_key_follows(const struct cbor_token *previous, const struct cbor_token *key)
{
    if (previous->len != key->len)
        return previous->len < key->len;
    if (key->len > 0 && previous->data[0] != key->data[0]) /* most differ here already, and need no call */
        return previous->data[0] < key->data[0];
    return memcmp(previous->data, key->data, key->len) < 0;
}

bool cbor_next_key(struct cbor_reader *r, const struct cbor_token *previous, struct cbor_token *key)
{
    const uint8_t *before = r->at;
    if (!cbor_expect(r, CBOR_TEXT, key, "map key is not text"))
        return false;
    if (previous == NULL || cbor_key_follows(previous, key))
        return true;
    r->at = before;
    return cbor_fail(r, "map keys are not in order, or not unique");
}

/* An array or map that is open while skipping. */
struct skip_level {
    bool is_map;
    bool is_first;
    uint64_t left; /* items, or pairs */
    struct cbor_token key;
};

static bool skip_key(struct cbor_reader *r, struct skip_level *l)
{
    struct cbor_token key;
    if (!cbor_next_key(r, l->is_first ? NULL : &l->key, &key))
        return false;
    l->key = key;
    l->is_first = false;
    return true;
}

bool cbor_skip(struct cbor_reader *r)
{
    struct skip_level levels[CBOR_MAX_DEPTH];
    size_t depth = 0;
    do {
        struct skip_level *l = depth > 0 ? &levels[depth - 1] : NULL;
        if (l != NULL && l->is_map && !skip_key(r, l))
            return false;
        if (l != NULL)
            l->left--;
        const uint8_t *before = r->at;
        struct cbor_token t;
        if (!cbor_next(r, &t))
            return false;
        if (t.kind == CBOR_ARRAY || t.kind == CBOR_MAP) {
            if (depth == CBOR_MAX_DEPTH) {
                r->at = before;
                return cbor_fail(r, CBOR_RULE_TOO_DEEP);
            }
            l = &levels[depth++];
            l->is_map = t.kind == CBOR_MAP;
            l->is_first = true;
            l->left = t.value;
        }
        while (depth > 0 && levels[depth - 1].left == 0)
            depth--;
    } while (depth > 0);
    return true;
}
