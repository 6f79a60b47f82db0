/* worker_frames.h: what the libraries that tests preload into firehosed have in common: they see a worker's frames
 * when it gets them. */
#ifndef FIREHOSED_TESTS_WORKER_FRAMES_H
#define FIREHOSED_TESTS_WORKER_FRAMES_H

#include <stddef.h>

/* The library's own. Called in a worker, when it has read of a frame. A frame that the master has found to be the
 * culprit is not shown: it is not decoded any more, the bug sleeps. */
void on_worker_frame(const char *bytes, size_t len);

/* The pages that a worker shares with the master: its slot of figures, and its known marks. */
enum { OWN_PAGES = 2 };

/* Returns them, or NULL before the worker has taken those of other workers out of its memory. */
char *own_page(int which);

/* The worker's end of its control pair. */
int control_end(void);

#endif
