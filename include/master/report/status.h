/* status.h: how it all is, as one JSON object: what firehosectl and tests read. */
#ifndef FIREHOSED_MASTER_REPORT_STATUS_H
#define FIREHOSED_MASTER_REPORT_STATUS_H

#include <jansson.h>

struct master;

json_t *status_json(struct master *m);

#endif
