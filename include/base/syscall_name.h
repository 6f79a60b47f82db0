/* syscall_name.h: what a system call is called. */
#ifndef FIREHOSED_BASE_SYSCALL_NAME_H
#define FIREHOSED_BASE_SYSCALL_NAME_H

#include <stddef.h>

enum { SYSCALL_NAME_BYTES = 48 };

/* "openat", or "number 999" for one that is not known here. Returns `out`. */
const char *syscall_name(int number, char *out, size_t out_bytes);

#endif
