#include "config.h"

#include "relay/relay_list.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

enum { FAILBACK_MAX_MS = 4 * 3600 * 1000 /* no longer doubled from here on */ };

static const char separators[] = ", \t";

static void name_source(struct relay_entry *s)
{
    uint16_t usual = s->url.scheme == URL_WSS ? 443 : 80;
    char port[8] = "";
    if (s->url.port != usual)
        snprintf(port, sizeof port, ":%u", (unsigned)s->url.port);
    size_t host_len = strlen(s->url.host);
    memcpy(s->name, s->url.host, host_len);
    memcpy(s->name + host_len, port, strlen(port) + 1);
    s->id = (uint32_t)hash_bytes(s->name, strlen(s->name));
}

static void name_keys(struct relay_entry *s, const struct config *config, bool is_first)
{
    const char *separator = is_first ? "" : ":", *name = is_first ? "" : s->name;
    snprintf(s->cursor_key, sizeof s->cursor_key, "%s%s%s", config->cursor_key, separator, name);
    snprintf(s->progress_key, sizeof s->progress_key, "%s%s%s", config->progress_key, separator, name);
}

static bool add(struct relay_list *s, const char *text, size_t len, const struct config *config,
                struct error *why)
{
    char url[2048];
    struct relay_entry *fresh = &s->list[s->count];
    if (s->count == RELAY_LIST_MAX) {
        error_set(why, "too many relays, expected %d at most", RELAY_LIST_MAX);
        return false;
    }
    snprintf(url, sizeof url, "%.*s", (int)len, text);
    if (!url_parse(url, &fresh->url, why))
        return false;
    if (fresh->url.scheme != URL_WS && fresh->url.scheme != URL_WSS) {
        error_set(why, "not the URL of a relay, expected ws:// or wss://");
        return false;
    }
    name_source(fresh);
    for (unsigned i = 0; i < s->count; i++)
        if (strcmp(s->list[i].name, fresh->name) == 0) {
            error_set(why, "relay %s is there twice", fresh->name);
            return false;
        }
    name_keys(fresh, config, s->count == 0);
    s->count++;
    return true;
}

bool relay_list_init(struct relay_list *s, const struct config *config, struct error *why)
{
    *s = (struct relay_list){.failback_ms = config->relay_failback};
    const char *at = config->relay + strspn(config->relay, separators);
    while (*at != '\0') {
        size_t len = strcspn(at, separators);
        if (!add(s, at, len, config, why))
            return false;
        at += len;
        at += strspn(at, separators);
    }
    if (s->count == 0)
        error_set(why, "no relay, expected the URL of at least one");
    return s->count > 0;
}

bool relay_list_replace(struct relay_list *s, const struct relay_list *fresh)
{
    const struct relay_entry *was = relay_list_current(s);
    const struct relay_entry *is = &fresh->list[s->current];
    if (s->current >= fresh->count || strcmp(is->url.host, was->url.host) != 0 ||
        (s->current > 0 && strcmp(is->name, was->name) != 0))
        return false;
    unsigned current = s->current, failures = was->failures;
    *s = *fresh;
    s->current = current;
    s->list[current].failures = failures;
    return true;
}

bool relay_list_failed(struct relay_list *s, const struct config *config)
{
    struct relay_entry *now = &s->list[s->current];
    now->failures++;
    return s->count > 1 && (s->returning_from != 0 || now->failures >= (unsigned)config->relay_attempts);
}

unsigned relay_list_next(const struct relay_list *s)
{
    return s->returning_from != 0 ? s->returning_from : (s->current + 1) % s->count;
}

void relay_list_healthy(struct relay_list *s, const struct config *config)
{
    s->list[s->current].failures = 0;
    if (s->current == 0) {
        s->returning_from = 0;
        s->failback_ms = config->relay_failback;
    }
}

void relay_list_select(struct relay_list *s, unsigned index, bool is_try)
{
    if (s->returning_from != 0 && index == s->returning_from && s->failback_ms < FAILBACK_MAX_MS)
        s->failback_ms *= 2; /* it was tried in vain */
    s->returning_from = is_try ? s->current : 0;
    s->current = index;
    s->list[index].failures = 0;
}
