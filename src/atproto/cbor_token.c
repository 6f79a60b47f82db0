/* cbor_token.c: takes heads and tokens apart by hand. Most tokens are one byte and some text; a decoder that calls back
 * for each token spends more time on the calls than on the bytes. Tests compare this reader with libcbor.
 *
 * Invariants: start <= at <= end. No byte at or behind `end` is read. A token that was returned lies wholly in front of
 * `at`. A count of items is never larger than the bytes left for them, so the input bounds every loop over a count. */
#include "config.h"

#include "cbor_token.h"

#include <string.h>

#include "atproto/cid.h"

enum { TAG_LINK = 42 };

/* The lower five bits of an item of CBOR_MAJOR_SIMPLE (RFC 8949 §3.3). */
enum simple {
    SIMPLE_FALSE = 20,
    SIMPLE_TRUE = 21,
    SIMPLE_NULL = 22,
    SIMPLE_UNDEFINED = 23,
    SIMPLE_FLOATS = 25, /* of 2, 4, 8 bytes */
};

#define RULE_ENDS "ends in the middle of an item"
#define RULE_NO_ITEM "not an item of DAG-CBOR"

/* An item's head: its first byte, and the bytes of its value. */
struct head {
    enum cbor_major major;
    bool is_shortest;
    uint64_t value;
    const uint8_t *end;
};

/* Reads the value behind a first byte whose lower bits are above 23. */
static bool read_long_head(struct cbor_reader *r, struct head *h)
{
    static const uint64_t above[] = {INFO_MAX_VALUE, UINT8_MAX, UINT16_MAX, UINT32_MAX}; /* the shorter form holds it */
    unsigned info = (unsigned)h->value;
    if (info > INFO_MAX_LENGTH) {
        bool may_be_indefinite = h->major >= CBOR_MAJOR_BYTES && h->major <= CBOR_MAJOR_MAP;
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
    return h->value <= INFO_MAX_VALUE || h->major == CBOR_MAJOR_SIMPLE || read_long_head(r, h);
}

static bool not_shortest(struct cbor_reader *r) { return cbor_fail(r, "integer or length not in its shortest form"); }

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

/* Takes a byte string or text, and does not check its content. */
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

/* Takes true, false and null, and refuses the other simple values, each with its own rule. */
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

/* Takes the item of a head that is not a tag. The caller checks the range of the value. */
static inline bool take_item(struct cbor_reader *r, const struct head *h, struct cbor_token *t)
{
    switch (h->major) {
    case CBOR_MAJOR_TEXT:
        return take_string(r, h, CBOR_TEXT, t);
    case CBOR_MAJOR_BYTES:
        return take_string(r, h, CBOR_BYTES, t);
    case CBOR_MAJOR_UNSIGNED:
        return take_number(r, h, CBOR_UNSIGNED, t);
    case CBOR_MAJOR_NEGATIVE:
        return take_number(r, h, CBOR_NEGATIVE, t);
    case CBOR_MAJOR_ARRAY:
        return take_number(r, h, CBOR_ARRAY, t);
    case CBOR_MAJOR_MAP:
        return take_number(r, h, CBOR_MAP, t);
    default:
        return take_simple(r, h, t);
    }
}

/* Takes the byte string 0x00 CID that follows the head of tag 42. The token is the CID itself. */
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
    if (h.major == CBOR_MAJOR_TAG) {
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

/* Takes a link as every encoder writes it: tag 42, 37 bytes, 0x00, CID. A commit has five or more of them. */
static bool take_usual_link(struct cbor_reader *r, struct cbor_token *t)
{
    static const uint8_t front[] = {
        CBOR_MAJOR_TAG << 5 | 24, TAG_LINK, CBOR_MAJOR_BYTES << 5 | 24, CID_BYTES + 1, 0x00};
    const uint8_t *at = r->at;
    if ((size_t)(r->end - at) < sizeof front + CID_BYTES || memcmp(at, front, sizeof front) != 0 ||
        !cid_valid(at + sizeof front, CID_BYTES))
        return false;
    return cbor_take(r, t, CBOR_LINK, CID_BYTES + 1, at + sizeof front, CID_BYTES, at + sizeof front + CID_BYTES);
}

/* Refuses the value of a token: the reader goes back to the token's first byte. */
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
    if (h.major == CBOR_MAJOR_TAG)
        return take_link(r, &h, t);
    if (!take_item(r, &h, t))
        return false;
    /* An item has at least one byte. */
    if (h.major == CBOR_MAJOR_MAP && h.value > (size_t)(r->end - r->at) / 2)
        return refuse(r, before, "more items than bytes are left");
    if (h.major == CBOR_MAJOR_ARRAY && h.value > (size_t)(r->end - r->at))
        return refuse(r, before, "more items than bytes are left");
    if (h.major == CBOR_MAJOR_NEGATIVE && h.value > INT64_MAX)
        return refuse(r, before, "integer below -2^63");
    return true;
}

bool cbor_fail_text(struct cbor_reader *r, const uint8_t *bad)
{
    r->at = bad;
    return cbor_fail(r, "text is not valid UTF-8");
}
