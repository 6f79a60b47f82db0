/* text_set.h: a large set of short texts (DIDs) that needs eight bytes for each text.
 *
 * The set keeps a keyed 64-bit hash of each text (SipHash-2-4, with a random key for each set) in one sorted array:
 * five million texts take 40 MB. A text outside the set passes for a member with a probability of count / 2^64, and
 * nobody can aim for that without the key. Hashes spread evenly, so a hash itself tells about where it lies in the
 * array: a look-up costs a few cache misses, not log2(count).
 *
 * The array lies in a file in memory (memfd): one process builds it, which takes a second for some millions of texts,
 * and another process maps it afterwards. */
#ifndef FIREHOSED_BASE_TEXT_SET_H
#define FIREHOSED_BASE_TEXT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct text_set;

/* Makes an empty file in memory for text_set_build(). Returns its descriptor, or -1 with *why. */
int text_set_file(struct error *why);

/* Reads the file at `path`, one text on each line, and writes the finished set to `fd`. Ignores white space around a
 * text, empty lines, and lines that begin with '#'. A repeated text counts once. Each text must begin with `prefix`.
 * Returns false on failure; *why is then "path:line: what is wrong", and `fd` has it too, for the process that maps
 * it. */
bool text_set_build(int fd, const char *path, const char *prefix, struct error *why);

/* Maps the set that text_set_build() wrote. The descriptor stays the caller's. Forked children do not inherit the
 * memory. Returns NULL on failure; *why is then the builder's reason, if the builder failed. */
struct text_set *text_set_map(int fd, struct error *why);
void text_set_free(struct text_set *s); /* NULL is fine */

bool text_set_has(const struct text_set *s, const void *text, size_t len);
size_t text_set_count(const struct text_set *s);

#endif
