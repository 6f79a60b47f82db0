/* DAG-CBOR tokens. The input is one item, and whatever is behind it.
 *
 * cbor_next() and libcbor's streaming decoder read the same tokens; walking the item token by token and
 * cbor_skip() agree on whether it is one, on where it ends, and on the rule that is broken and where. */
#include "config.h"

#include <string.h>

#include "atproto/cbor.h"
#include "fuzz.h"
#include "head.h"

struct open {
    bool is_map, is_first;
    uint64_t left;
    struct cbor_token key;
};

static void compare_tokens(const struct cbor_reader *r)
{
    struct cbor_reader ours = *r;
    struct cbor_token got, expected;
    size_t consumed, left = (size_t)(r->end - r->at);
    bool ok = cbor_next(&ours, &got), expected_ok = head_read(r->at, left, &expected, &consumed);
    must(ok == expected_ok, "cbor_next says %d", ok);
    must(ours.at >= r->at && ours.at <= r->end);
    if (!ok) {
        must(ours.violation.rule != NULL && ours.violation.offset == (size_t)(ours.at - ours.start));
        return;
    }
    must(got.kind == expected.kind && (got.kind == CBOR_LINK || got.value == expected.value));
    must((size_t)(ours.at - r->at) == consumed);
    if (got.kind == CBOR_TEXT || got.kind == CBOR_BYTES || got.kind == CBOR_LINK)
        must(got.len == expected.len && got.data == expected.data);
}

/* As cbor_skip(), out of the other public functions. */
static bool walk(struct cbor_reader *r)
{
    struct open levels[CBOR_MAX_DEPTH];
    size_t depth = 0;
    do {
        struct open *l = depth > 0 ? &levels[depth - 1] : NULL;
        struct cbor_token t;
        if (l != NULL && l->is_map) {
            struct cbor_token key;
            compare_tokens(r);
            if (!cbor_next_key(r, l->is_first ? NULL : &l->key, &key))
                return false;
            l->key = key;
            l->is_first = false;
        }
        if (l != NULL)
            l->left--;
        compare_tokens(r);
        const uint8_t *before = r->at;
        if (!cbor_next(r, &t))
            return false;
        if (t.kind == CBOR_ARRAY || t.kind == CBOR_MAP) {
            if (depth == CBOR_MAX_DEPTH) {
                r->at = before;
                return cbor_fail(r, CBOR_RULE_TOO_DEEP);
            }
            levels[depth++] = (struct open){.is_map = t.kind == CBOR_MAP, .is_first = true, .left = t.value};
        }
        while (depth > 0 && levels[depth - 1].left == 0)
            depth--;
    } while (depth > 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cbor_reader walker, skipper;
    cbor_reader_init(&walker, data, size);
    cbor_reader_init(&skipper, data, size);
    bool walked = walk(&walker), skipped = cbor_skip(&skipper);
    must(walked == skipped, "walked %d, skipped %d", walked, skipped);
    must(walker.at == skipper.at);
    if (!walked)
        must(strcmp(walker.violation.rule, skipper.violation.rule) == 0 &&
             walker.violation.offset == skipper.violation.offset);
    return 0;
}
