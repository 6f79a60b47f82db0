#include "config.h"

#include "ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE /* since Linux 5.1; missing in older headers */
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* Returns NULL if that fails: errno. */
static uint8_t *map_twice(int fd, size_t size, int protection)
{
    uint8_t *place = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED)
        return NULL;
    if (mmap(place, size, protection, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED &&
        mmap(place + size, size, protection, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED)
        return place;
    int reason = errno;
    munmap(place, 2 * size);
    errno = reason;
    return NULL;
}

/* The writable mapping comes first: the seal allows no more of it. Returns false if a step fails: *what, and errno. */
static bool map_all(struct ring *r, int fd, size_t size, const char **what)
{
    const int seals = F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    *what = "memory";
    if (ftruncate(fd, (off_t)size) < 0)
        return false;
    *what = "mapping it";
    r->bytes = map_twice(fd, size, PROT_READ | PROT_WRITE);
    if (r->bytes == NULL || madvise(r->bytes, 2 * size, MADV_DONTFORK) < 0)
        return false;
    *what = "sealing it against workers, for which Linux 5.1 or newer is needed";
    if (fcntl(fd, F_ADD_SEALS, seals) < 0)
        return false;
    *what = "mapping it for workers";
    r->view = map_twice(fd, size, PROT_READ);
    if (r->view == NULL)
        return false;
    madvise(r->bytes + size, size, MADV_DONTDUMP); /* once is enough for a core file */
    madvise((void *)(uintptr_t)r->view, 2 * size, MADV_DONTDUMP);
    return true;
}

bool ring_map(struct ring *r, size_t size, struct error *why)
{
    *r = (struct ring){.size = size};
    int fd = memfd_create("firehosed-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const char *what = "memfd_create";
    bool ok = fd >= 0 && map_all(r, fd, size, &what);
    if (!ok) {
        error_set(why, "ring of %zu bytes: %s: %s", size, what, strerror(errno));
        ring_unmap(r);
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

void ring_unmap(struct ring *r)
{
    if (r->bytes != NULL)
        munmap(r->bytes, 2 * r->size);
    if (r->view != NULL)
        munmap((void *)(uintptr_t)r->view, 2 * r->size);
    *r = (struct ring){0};
}
