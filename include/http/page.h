/* page.h: the status page: page.html, which is built into the program. */
#ifndef FIREHOSED_HTTP_PAGE_H
#define FIREHOSED_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

const void *page_bytes(size_t *len);

/* Appends its Content-Security-Policy, terminated: only its own script and style run, told by their hashes, and it
 * talks to nobody but us. Returns false if memory is short. */
bool page_policy(struct buffer *out);

#endif
