/* post_text.h: what people write, in the scripts that they write it in, with the places that link somewhere. */
#ifndef FIREHOSE_REPLAY_POST_TEXT_H
#define FIREHOSE_REPLAY_POST_TEXT_H

#include <stddef.h>

#include "base/buffer.h"
#include "repo_model.h"

enum facet_kind { FACET_MENTION, FACET_LINK, FACET_TAG };

/* Offsets count bytes of UTF-8 (app.bsky.richtext.facet). */
struct facet {
    enum facet_kind kind;
    size_t start, end;
    char value[80]; /* DID, URI or tag */
};

enum { POST_MAX_FACETS = 4 };

struct post_text {
    struct buffer text;
    const char *lang;
    struct facet facets[POST_MAX_FACETS];
    size_t facet_count;
};

/* Writes a new text over the last one. Zero-initialise; buffer_fini(&text) at the end. */
void post_text_make(struct post_text *t, struct repo_model *m);

/* A few words without links: names, titles, descriptions. */
void words_append(struct buffer *out, struct repo_model *m, unsigned words);

#endif
