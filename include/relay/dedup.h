/* dedup.h: which revs of which repos were taken from which relay, to recognise an event that another relay sends again.
 * Pure: no clock, no I/O.
 *
 * Each relay numbers events in a sequence of its own, so a seq tells nothing after a change of relay. Repo and rev stay
 * the same, and a repo's revs rise. So one entry a repo is enough: the newest rev that was taken, and the relay it came
 * from. An entry makes an event a duplicate only if it is of *another* relay: within one relay's sequence the seq
 * decides, and a repo whose rev goes back there (a migration, a restored server) loses nothing.
 *
 * The memory is fixed: a repo's hash gives it WAYS places, and the repo that was quiet longest makes room. A forgotten
 * repo's events can only be written twice, never lost: only an entry under the full 64-bit keyed hash makes a
 * duplicate. */
#ifndef FIREHOSED_RELAY_DEDUP_H
#define FIREHOSED_RELAY_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEDUP_ENTRY_BYTES = 24 };

struct dedup;

/* Room for about so many repos. The system gives the memory as it is used. Returns NULL if memory is short. */
struct dedup *dedup_new(size_t repos);
void dedup_free(struct dedup *d); /* NULL is allowed */

/* True if this rev of the repo, or a later one, was taken from another relay. rev is a TID (atproto.com/specs/tid); any
 * other text is no duplicate. */
bool dedup_is_duplicate(const struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev,
                        size_t rev_len);

/* The event is taken: this rev of the repo, and all before it, are duplicates if they come from other relays. */
void dedup_add(struct dedup *d, unsigned relay, const void *did, size_t did_len, const void *rev, size_t rev_len);

/* Forgets everything: Redis has lost it, or it is to be written again. */
void dedup_clear(struct dedup *d);

/* Not all that happened before this time (microseconds since 1970) is taken from now on. So no rev of before is a
 * duplicate, although a later one of its repo was taken: a TID tells when it was made. */
void dedup_begin_at(struct dedup *d, int64_t us);

#endif
