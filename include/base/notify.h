/* notify.h: reports the daemon's state to the service manager with the datagrams of sd_notify(3), without its library.
 *
 * If no service manager listens (no NOTIFY_SOCKET), nothing is sent. */
#ifndef FIREHOSED_BASE_NOTIFY_H
#define FIREHOSED_BASE_NOTIFY_H

#include <stdint.h>

/* Sends assignments, one on each line: "READY=1", "STATUS=…", "STOPPING=1", "WATCHDOG=1". A lost message is not sent
 * again, because the next one follows soon. */
void notify_send(const char *assignments);

/* Returns the interval for WATCHDOG=1 in milliseconds, half of what the service manager allows; 0 if it does not
 * ask. */
int64_t notify_watchdog_ms(void);

#endif
