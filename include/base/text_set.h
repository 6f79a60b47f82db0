/* text_set.h: a large set of short texts (DIDs), eight bytes each, however long they are.
 *
 * What is kept of a text is a keyed 64-bit hash (SipHash-2-4, with a random key a set), in one sorted array: a set of
 * five million takes 40 MB. A text that is not in the set is taken for a member with a probability of count / 2^64, and
 * nobody who does not know the key can aim for it. Because hashes spread evenly, a member's place is about its hash in
 * proportion: a look-up costs a few cache misses, not log2(count) of them.
 *
 * The array lies in a file in memory (memfd), so that one process may build it, which takes a second for some
 * millions, and another map it when it is done. */
#ifndef FIREHOSED_BASE_TEXT_SET_H
#define FIREHOSED_BASE_TEXT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct text_set;

/* An empty file in memory for text_set_build(): a descriptor, or -1 and *why. */
int text_set_file(struct error *why);

/* Reads the file at `path`, one text a line, and writes the finished set to `fd`. White space around a text,
 * empty lines and lines that begin with '#' are passed over; the same text twice counts once. Each text must
 * begin with `prefix`. False: *why is "path:line: what is wrong", and also lies in `fd`, for whoever maps it.
 */
bool text_set_build(int fd, const char *path, const char *prefix, struct error *why);

/* Maps what text_set_build() wrote; the descriptor stays the caller's. NULL: *why, which is the builder's
 * where it failed. The memory is not inherited by forked children. */
struct text_set *text_set_map(int fd, struct error *why);
void text_set_free(struct text_set *s); /* NULL is fine */

bool text_set_has(const struct text_set *s, const void *text, size_t len);
size_t text_set_count(const struct text_set *s);

#endif
