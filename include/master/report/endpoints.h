/* endpoints.h: what there is to be read over HTTP. */
#ifndef FIREHOSED_MASTER_REPORT_ENDPOINTS_H
#define FIREHOSED_MASTER_REPORT_ENDPOINTS_H

#include <stdbool.h>

#include "base/error.h"

struct master;

/* Returns false if the pages cannot be served: *why. */
bool endpoints_open(struct master *m, struct error *why);

#endif
