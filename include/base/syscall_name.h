/* syscall_name.h: the name of a system call. */
#ifndef FIREHOSED_BASE_SYSCALL_NAME_H
#define FIREHOSED_BASE_SYSCALL_NAME_H

#include <stddef.h>

enum { SYSCALL_NAME_BYTES = 48 };

/* Writes "openat", or "number 999" if libseccomp does not know the number. Returns `out`. */
const char *syscall_name(int number, char *out, size_t out_bytes);

#endif
