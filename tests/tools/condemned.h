/* condemned.h: what the libraries that tests preload into firehosed have in common. */
#ifndef FIREHOSED_TESTS_CONDEMNED_H
#define FIREHOSED_TESTS_CONDEMNED_H

#include <string.h>

#include "ipc/channel.h"

/* A frame that the master has found to be the culprit comes alone, and is not decoded any more: the bug sleeps. */
static inline int is_condemned(const void *bytes, size_t len)
{
    struct frame_header header;
    if (len < sizeof header)
        return 0;
    memcpy(&header, bytes, sizeof header);
    return len >= sizeof header + header.len && header.verdict != VERDICT_NONE && header.verdict <= VERDICT_IMPLAUSIBLE;
}

#endif
