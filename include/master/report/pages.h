/* pages.h: what can be read over HTTP. */
#ifndef FIREHOSED_MASTER_REPORT_PAGES_H
#define FIREHOSED_MASTER_REPORT_PAGES_H

#include <stdbool.h>

#include "base/error.h"

struct master;

/* Serves the pages, if http_listen says where. Returns false if that is not possible: *why. */
bool pages_open(struct master *m, struct error *why);

#endif
