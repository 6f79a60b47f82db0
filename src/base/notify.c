#include "config.h"

#include "base/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Reads a path, or a name of the abstract namespace, which starts with '@'. Returns false for any other text. */
static bool read_address(const char *name, struct sockaddr_un *address, socklen_t *len)
{
    size_t n = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof address->sun_path)
        return false;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, n);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return true;
}

void notify_send(const char *assignments)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t len;
    if (name == NULL || !read_address(name, &address, &len))
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    ssize_t ignored =
        sendto(fd, assignments, strlen(assignments), MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
    (void)ignored;
    close(fd);
}

/* Returns the positive number in a variable, or 0 if the variable has none. */
static int64_t number_in(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    errno = 0;
    long long value = text != NULL ? strtoll(text, &end, 10) : 0;
    return text != NULL && errno == 0 && end != text && *end == '\0' && value > 0 ? value : 0;
}

int64_t notify_watchdog_ms(void)
{
    int64_t process = number_in("WATCHDOG_PID");
    if (process != 0 && process != getpid())
        return 0;
    return number_in("WATCHDOG_USEC") / 2000;
}
