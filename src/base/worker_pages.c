#include "config.h"

#include "base/worker_pages.h"

#include <stddef.h>
#include <sys/mman.h>

void *worker_pages_new(void)
{
    const size_t size = (size_t)WORKERS_MAX * WORKER_PAGE_BYTES;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void worker_pages_keep(void *pages, unsigned index)
{
    char *own = (char *)pages + (size_t)index * WORKER_PAGE_BYTES;
    if (index > 0)
        munmap(pages, (size_t)index * WORKER_PAGE_BYTES);
    if (index + 1 < WORKERS_MAX)
        munmap(own + WORKER_PAGE_BYTES, (size_t)(WORKERS_MAX - 1 - index) * WORKER_PAGE_BYTES);
}
