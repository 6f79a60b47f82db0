/* replies.h: the answers that are all alike, counted where they lie.
 *
 * A transaction of n events is answered by n times "+QUEUED" and an array of n ids. hiredis makes an object of
 * each: twice n allocations and more, to be looked at once and freed, a tenth of a worker's time. Here they are
 * recognised in its buffer and stepped over. What is not exactly as expected is not touched: hiredis reads it, as
 * it reads all else. */
#ifndef FIREHOSED_REDIS_REPLIES_H
#define FIREHOSED_REDIS_REPLIES_H

#include <hiredis/read.h>
#include <stdbool.h>
#include <stddef.h>

/* Steps over whole replies that are "+<status>", at most max of them; returns how many. */
size_t replies_skip_status(redisReader *r, const char *status, size_t max);

/* Steps over one whole array of n texts and numbers, with no error, nil or array among them. False: that is not what
 * comes next, or not all of it is there. */
bool replies_skip_array(redisReader *r, size_t n);

#endif
