/* replies.h: skips replies that are all alike, in the reader's buffer.
 *
 * Redis answers a transaction of n events with n times "+QUEUED" and an array of n ids. hiredis makes an object of
 * each: more than 2n allocations, a tenth of a worker's time. These functions recognise such replies in its buffer and
 * step over them. Any other reply is not touched: hiredis reads it. */
#ifndef FIREHOSED_REDIS_REPLIES_H
#define FIREHOSED_REDIS_REPLIES_H

#include <hiredis/read.h>
#include <stdbool.h>
#include <stddef.h>

/* Steps over whole replies that are "+<status>", at most max of them. Returns their number. */
size_t replies_skip_status(redisReader *r, const char *status, size_t max);

/* Steps over one whole array of n texts and numbers, with no error, nil or array among them. Returns false if the next
 * reply is something else, or not all of it is there. */
bool replies_skip_array(redisReader *r, size_t n);

#endif
