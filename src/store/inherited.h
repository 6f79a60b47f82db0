/* inherited.h: the events that the service before firehosed has left in the stream. There are no marks for them, so the
 * newest entries are read at the first start: what is there behind the cursor is not written again. Without a cursor,
 * reading goes on behind the newest entry (start = stream).
 *
 * The seqs are kept one by one, as a service with several workers may have left gaps. The progress key remembers the
 * highest (`inherited`), so that a start after a crash reads them again, until the cursor has passed it. */
#ifndef FIREHOSED_INHERITED_H
#define FIREHOSED_INHERITED_H

#include "begin_plan.h"
#include "session.h"

struct inherited {
    struct session *session;
    struct optional behind; /* the cursor */
    int64_t *seqs;          /* behind it; sorted once all are read */
    size_t count, cap;
    int64_t newest; /* the highest seq that was read; 0: none */
    size_t read;    /* entries */
    void (*done)(void *arg);
    void *arg;
};

/* Whether the stream is to be read before the plan is made. Pure. */
bool inherited_is_wanted(enum begin_kind kind, const struct begin_found *found, bool goes_on_with_stream);

/* Forgets what was read, and reads the stream from its newest entry back to the cursor. `done` is called at the end,
 * unless the connection breaks before; memory that is short costs doubles, not events. */
void inherited_read(struct inherited *i, struct optional behind, void (*done)(void *arg), void *arg);

bool inherited_has(const struct inherited *i, int64_t seq);
void inherited_forget(struct inherited *i);

#endif
