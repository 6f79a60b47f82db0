/* sample.h: once a second, what the rooms have counted goes to the figures and to the health. */
#ifndef FIREHOSED_MASTER_REPORT_SAMPLE_H
#define FIREHOSED_MASTER_REPORT_SAMPLE_H

#include "stats/health.h"

struct master;

void sample_second(struct master *m);
void sample_health(const struct master *m, struct health_sample *s);

#endif
