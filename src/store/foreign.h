/* foreign.h: notices entries in the stream that this firehosed has not written. Nothing is decided by it: a person
 * has to stop the other writer.
 *
 * Redis 7 counts what was ever added to a stream (entries-added). What we added since the start of a window is counted
 * in `written`, or still in flight. So a sample is compared with what is written a second later, and with what is in
 * flight then. A worker that dies between EXEC and its count makes its successor count duplicates: each start of a
 * worker and each of its connections begins a new era, and an era begins a new window. Few entries, or entries that
 * only a few samples in a row show, are no alarm. */
#ifndef FIREHOSED_STORE_FOREIGN_H
#define FIREHOSED_STORE_FOREIGN_H

#include "session.h"
#include "store/usage.h"

struct foreign_window {
    bool is_open;
    int64_t added; /* entries-added at its start */
    uint64_t written, era;
    int64_t start_ms;
    int64_t found; /* foreign entries in it so far */
    unsigned streak;
};

struct foreign {
    struct session *session;
    struct store_tally asked; /* as it was when the last question was sent */
    int64_t added;            /* the answer; -1: none */
    struct foreign_window window;
    bool may_not_ask; /* on this connection */
    uint64_t entries; /* foreign ones in all */
    struct log_throttle throttle;
};

/* Returns how many foreign entries were found now. added was sampled after `asked` and before `now`. */
int64_t foreign_judge(struct foreign_window *w, int64_t added, const struct store_tally *asked,
                      const struct store_tally *now);

/* To be called at first, and when there is nothing to compare: the connection is lost, or the store has not begun. */
void foreign_on_lost(struct foreign *f);

/* Once a second: judges the last answer, and asks again. */
void foreign_tick(struct foreign *f, const struct store_tally *now);

#endif
