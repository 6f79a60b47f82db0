#include "config.h"

#include "base/syscall_name.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

const char *syscall_name(int number, char *out, size_t out_bytes)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name != NULL)
        snprintf(out, out_bytes, "%s", name);
    else
        snprintf(out, out_bytes, "number %d", number);
    free(name);
    return out;
}
