/* service.h: what a service manager is told (Type=notify): that the daemon is up, how it is, that its loop turns. */
#ifndef FIREHOSED_MASTER_SERVICE_H
#define FIREHOSED_MASTER_SERVICE_H

struct master;

void service_started(void);
void service_tick(struct master *m); /* once a second */
void service_stopping(void);

#endif
