/* metrics.h: all figures in Prometheus' text format. */
#ifndef FIREHOSED_MASTER_REPORT_METRICS_H
#define FIREHOSED_MASTER_REPORT_METRICS_H

#include "base/buffer.h"

struct master;

void metrics_write(const struct master *m, struct buffer *out);

#endif
