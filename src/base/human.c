#include "config.h"

#include "base/human.h"

#include <inttypes.h>
#include <stdio.h>

const char *human_count(uint64_t n, char out[HUMAN_BYTES])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *human_duration(double seconds, char out[HUMAN_BYTES])
{
    if (seconds < 99.5)
        snprintf(out, HUMAN_BYTES, "%.0f s", seconds);
    else if (seconds < 99.5 * 60)
        snprintf(out, HUMAN_BYTES, "%.0f min", seconds / 60);
    else if (seconds < 48 * 3600.0)
        snprintf(out, HUMAN_BYTES, "%.1f h", seconds / 3600);
    else
        snprintf(out, HUMAN_BYTES, "%.1f days", seconds / 86400);
    return out;
}

const char *human_lag(double seconds, char out[HUMAN_BYTES])
{
    if (seconds >= 9.95)
        return human_duration(seconds, out);
    snprintf(out, HUMAN_BYTES, "%.1f s", seconds);
    return out;
}

const char *human_bytes(double bytes, char out[HUMAN_BYTES])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 999.5 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, HUMAN_BYTES, bytes < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}
