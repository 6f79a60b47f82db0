/* service.h: what a service manager is told (Type=notify): that the daemon is up, how it is, that its loop turns. */
#ifndef FIREHOSED_MASTER_SERVICE_H
#define FIREHOSED_MASTER_SERVICE_H

#include <stdint.h>

#include "stats/snapshot.h"

/* When the service manager was last told. */
struct service {
    int64_t watchdog_ms, status_ms;
};

void service_started(void);
void service_tick(struct service *v, const struct snapshot *s); /* once a second */
void service_stopping(void);

#endif
