#include "config.h"

#include "faults.h"

#include <string.h>

#include "options.h"

bool faults_parse_http(struct faults *f, const char *text)
{
    char status[8];
    const char *colon = strchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    uint64_t code, times = FAULT_FOR_EVER;
    if (len >= sizeof status)
        return false;
    memcpy(status, text, len);
    status[len] = '\0';
    if (!parse_number(status, &code) || code < 200 || code > 599)
        return false;
    if (colon != NULL && !parse_number(colon + 1, &times))
        return false;
    f->http_status = (int)code;
    f->http_times = times;
    return true;
}
