#include "config.h"

#include "worker_log.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/log_format.h"

enum { LINES_PER_TURN = 64 /* then other events of the loop get their turn */ };

void worker_log_take(struct worker_process *w, unsigned max)
{
    char message[LOG_LINE_BYTES], process[16];
    ssize_t n = -1;
    snprintf(process, sizeof process, "worker-%u", w->index);
    for (unsigned i = 0; i < max && (n = recv(w->channel.log, message, sizeof message, MSG_DONTWAIT)) > 0; i++)
        log_take(w, process, (int)w->pid, message, (size_t)n);
    if (n == 0 && w->lines != NULL)
        event_del(w->lines); /* its side is closed, or it sent an empty message: it has no log any more */
}

void worker_log_on_line(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    worker_log_take(arg, LINES_PER_TURN);
}
