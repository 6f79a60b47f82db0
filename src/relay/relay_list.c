#include "config.h"

#include "relay/relay_list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"

enum { FAILBACK_MAX_MS = 4 * 3600 * 1000 /* not doubled beyond this */ };

static const char separators[] = ", \t";

static void name_entry(struct relay_entry *e)
{
    uint16_t usual = e->url.scheme == URL_WSS ? 443 : 80;
    char port[8] = "";
    if (e->url.port != usual)
        snprintf(port, sizeof port, ":%u", (unsigned)e->url.port);
    size_t host_len = strlen(e->url.host);
    memcpy(e->name, e->url.host, host_len);
    memcpy(e->name + host_len, port, strlen(port) + 1);
    e->id = (uint32_t)hash_bytes(e->name, strlen(e->name));
}

static void name_keys(struct relay_entry *e, const struct config *config, bool is_first)
{
    const char *separator = is_first ? "" : ":", *name = is_first ? "" : e->name;
    snprintf(e->cursor_key, sizeof e->cursor_key, "%s%s%s", config->cursor_key, separator, name);
    snprintf(e->progress_key, sizeof e->progress_key, "%s%s%s", config->progress_key, separator, name);
}

static bool add(struct relay_list *l, const char *text, size_t len, const struct config *config, struct error *why)
{
    char url[2048];
    struct relay_entry *fresh = &l->list[l->count];
    if (l->count == RELAY_LIST_MAX) {
        error_set(why, "too many relays, expected %d at most", RELAY_LIST_MAX);
        return false;
    }
    snprintf(url, sizeof url, "%.*s", (int)len, text);
    bool is_web = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
    if (is_web && strpbrk(url + 7, "@:") == NULL) {
        error_set(why, "'%.200s' is not the URL of a WebSocket, did you mean 'ws%.200s'?", url, url + 4);
        return false;
    }
    if (!url_parse(url, &fresh->url, why))
        return false;
    if (fresh->url.scheme != URL_WS && fresh->url.scheme != URL_WSS) {
        error_set(why, "not the URL of a relay, expected ws:// or wss://");
        return false;
    }
    name_entry(fresh);
    for (unsigned i = 0; i < l->count; i++)
        if (strcmp(l->list[i].name, fresh->name) == 0) {
            error_set(why, "relay %s is there twice", fresh->name);
            return false;
        }
    name_keys(fresh, config, l->count == 0);
    l->count++;
    return true;
}

bool relay_list_init(struct relay_list *l, const struct config *config, struct error *why)
{
    *l = (struct relay_list){.failback_ms = config->relay_failback};
    const char *at = config->relay + strspn(config->relay, separators);
    while (*at != '\0') {
        size_t len = strcspn(at, separators);
        if (!add(l, at, len, config, why))
            return false;
        at += len;
        at += strspn(at, separators);
    }
    if (l->count == 0)
        error_set(why, "no relay, expected the URL of at least one");
    return l->count > 0;
}

bool relay_list_replace(struct relay_list *l, const struct relay_list *fresh)
{
    unsigned current = l->current, failures = l->list[current].failures;
    const struct relay_entry *was = &l->list[current], *is = &fresh->list[current];
    if (current >= fresh->count || strcmp(is->url.host, was->url.host) != 0 ||
        (current > 0 && strcmp(is->name, was->name) != 0))
        return false;
    *l = *fresh;
    l->current = current;
    l->list[current].failures = failures;
    return true;
}

bool relay_list_failed(struct relay_list *l, const struct config *config)
{
    unsigned failures = ++l->list[l->current].failures;
    return l->count > 1 && (l->returning_from != 0 || failures >= (unsigned)config->relay_attempts);
}

unsigned relay_list_next(const struct relay_list *l, int64_t now_ms)
{
    unsigned first = l->returning_from != 0 ? l->returning_from : (l->current + 1) % l->count;
    for (unsigned i = 0; i < l->count; i++) {
        unsigned index = (first + i) % l->count;
        if (index != l->current && l->list[index].rests_until_ms <= now_ms)
            return index;
    }
    return l->current;
}

void relay_list_healthy(struct relay_list *l, const struct config *config)
{
    l->list[l->current].failures = 0;
    if (l->current == 0) {
        l->returning_from = 0;
        l->failback_ms = config->relay_failback;
    }
}

void relay_list_select(struct relay_list *l, unsigned index, bool is_try)
{
    if (l->returning_from != 0 && index == l->returning_from && l->failback_ms < FAILBACK_MAX_MS)
        l->failback_ms *= 2; /* the first was tried in vain */
    l->returning_from = is_try ? l->current : 0;
    l->current = index;
    l->list[index].failures = 0;
}
