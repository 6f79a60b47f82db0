#include "config.h"

#include "stamps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { STAMPS_BYTES = (STAMPS_MAX + 1) * (int)sizeof(int64_t) };

bool stamps_open(struct stamps *s, const char *path, uint64_t first_seq, struct error *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *at = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, STAMPS_BYTES) == 0)
        at = mmap(NULL, STAMPS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        error_set(why, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (at == MAP_FAILED)
        return false;
    *s = (struct stamps){.at = at, .first_seq = first_seq};
    s->at[0] = (int64_t)first_seq;
    return true;
}

void stamps_close(struct stamps *s)
{
    if (s->at != NULL)
        munmap(s->at, STAMPS_BYTES);
    *s = (struct stamps){0};
}

void stamps_note(struct stamps *s, uint64_t seq)
{
    struct timespec now;
    if (s->at == NULL || seq < s->first_seq || seq - s->first_seq >= STAMPS_MAX)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    s->at[1 + (seq - s->first_seq)] = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
