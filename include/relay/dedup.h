/* dedup.h: which commits were taken from which relay, to recognise one that another relay sends again. Pure: no clock,
 * no I/O.
 *
 * Each relay numbers events in a sequence of its own, so a seq tells nothing after a change of relay. Repo and rev stay
 * the same. A commit is a duplicate only if the same rev of the same repo was taken from *another* relay. A later rev
 * of the repo proves nothing, as a relay may leave a commit out. Within one relay's sequence the seq decides.
 *
 * The memory is fixed: a commit's hash gives it WAYS places, and the oldest there, by its rev, makes room. A forgotten
 * commit can only be written twice, never lost: only an entry under the full 64-bit keyed hash makes a duplicate. */
#ifndef FIREHOSED_RELAY_DEDUP_H
#define FIREHOSED_RELAY_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEDUP_ENTRY_BYTES = 16 };

struct dedup;

/* Room for about so many commits. The system gives the memory as it is used. Returns NULL if memory is short. */
struct dedup *dedup_new(size_t commits);
void dedup_free(struct dedup *d); /* NULL is allowed */

/* True if this rev of the repo was taken from another relay. A commit without a repo or a rev is no duplicate. */
bool dedup_is_duplicate(const struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev,
                        size_t rev_len);

/* The commit is taken: it is a duplicate if it comes from another relay. now_us: since 1970. */
void dedup_add(struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev, size_t rev_len,
               int64_t now_us);

/* Forgets everything: Redis has lost it, or it is to be written again. */
void dedup_clear(struct dedup *d);

#endif
