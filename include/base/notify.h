/* notify.h: tells the service manager how the daemon is: the datagrams of sd_notify(3), and nothing of its library.
 *
 * Without a service manager that listens (no NOTIFY_SOCKET) every function does nothing. */
#ifndef FIREHOSED_BASE_NOTIFY_H
#define FIREHOSED_BASE_NOTIFY_H

#include <stdint.h>

/* Sends assignments, one a line: "READY=1", "STATUS=…", "STOPPING=1", "WATCHDOG=1". A message that does not get through
 * is not tried again: the next one follows soon. */
void notify_send(const char *assignments);

/* How often WATCHDOG=1 is due, in milliseconds: half of what the service manager allows. 0: it does not ask for it. */
int64_t notify_watchdog_ms(void);

#endif
