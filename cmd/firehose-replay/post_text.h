/* post_text.h: makes the texts of posts, in several scripts, with facets. */
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

/* Replaces the text by a new one. Zero-initialise *t before the first call, and call buffer_fini(&t->text) at the
 * end. */
void post_text_make(struct post_text *t, struct repo_model *m);

/* Appends words without facets, for names, titles and descriptions. */
void words_append(struct buffer *out, struct repo_model *m, unsigned words);

#endif
