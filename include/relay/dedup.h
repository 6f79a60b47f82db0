/* seen.h: which revisions of which repos were taken, and from which relay: how an event is recognised that
 * another relay sends again. Pure: no clock, no I/O.
 *
 * Each relay numbers events in a sequence of its own, so after a change of relay a seq tells nothing. What
 * stays the same is repo and rev, and a repo's revs rise. One entry a repo is enough, then: the newest rev
 * that was taken, and whose relay it came from. Only an entry of *another* relay is held against an event:
 * within a relay's sequence the seq decides, and a repo whose rev goes back there (a migration, a restored
 * server) loses nothing.
 *
 * The memory is fixed: a repo goes to one of WAYS places by its hash, and the one that was quiet longest
 * there makes room. What was forgotten can only be written twice, never lost; nothing is taken for seen but
 * what is found under the full 64-bit keyed hash. */
#ifndef FIREHOSED_RELAY_DEDUP_H
#define FIREHOSED_RELAY_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEDUP_ENTRY_BYTES = 24 };

struct dedup;

/* Room for about so many repos, taken from the system as it is used. NULL: no memory. */
struct dedup *dedup_new(size_t repos);
void dedup_free(struct dedup *s); /* NULL is fine */

/* True if this rev of the repo, or a later one, was taken from another relay. rev is a TID
 * (atproto.com/specs/tid); what is none is never seen. */
bool dedup_is_duplicate(const struct dedup *s, unsigned relay, const void *did, size_t did_len, const void *rev,
                    size_t rev_len);

/* The event is taken: what follows of this repo from other relays, up to this rev, is seen. */
void dedup_add(struct dedup *s, unsigned relay, const void *did, size_t did_len, const void *rev,
               size_t rev_len);

/* What was taken did not last (Redis lost it): all is to be taken again. */
void dedup_clear(struct dedup *s);

/* What is taken from now on is not all that happened before this time (microseconds since 1970; a TID tells when it was
 * made): an earlier rev is not seen, though a later one of its repo is. */
void dedup_begin_at(struct dedup *s, int64_t us);

#endif
