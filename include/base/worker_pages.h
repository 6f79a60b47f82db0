/* worker_pages.h: memory that the master shares with its workers, a page for each. What is in a page is its worker's
 * report: no other worker can reach it. */
#ifndef FIREHOSED_BASE_WORKER_PAGES_H
#define FIREHOSED_BASE_WORKER_PAGES_H

#include "base/limits.h"

enum { WORKER_PAGE_BYTES = 65536 }; /* the largest pages that Linux uses */

/* Returns WORKERS_MAX pages of zeros, shared by this process and those it forks, or NULL if memory is short. They are
 * never freed: they live as long as the master. */
void *worker_pages_new(void);

/* In a worker: takes all pages but its own out of its memory, for good. */
void worker_pages_keep(void *pages, unsigned index);

#endif
