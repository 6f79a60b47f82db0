/* pages.c: the pages that are read over HTTP, made from the snapshot. */
#include "config.h"

#include <event2/http.h>
#include <stdlib.h>

#include "base/json_text.h"
#include "http/page.h"
#include "master/context.h"
#include "master/report/report.h"

/* Takes the JSON over. */
static int write_json(struct buffer *body, json_t *json, int status)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_NUMBERS) : NULL;
    json_decref(json);
    if (text == NULL)
        return HTTP_SERVUNAVAIL;
    buffer_append_text(body, text);
    buffer_append_byte(body, '\n');
    free(text);
    return status;
}

static int page(void *arg, struct buffer *body)
{
    (void)arg;
    size_t len;
    const void *bytes = page_bytes(&len);
    buffer_append(body, bytes, len);
    return HTTP_OK;
}

static int status(void *arg, struct buffer *body) { return write_json(body, snapshot_json(report_take(arg)), HTTP_OK); }

static int write_history(const struct master *m, struct buffer *body, enum history_span span)
{
    return write_json(body, traffic_history_json(m->traffic, span), HTTP_OK);
}

static int history(void *arg, struct buffer *body) { return write_history(arg, body, HISTORY_10_MIN); }
static int history_1h(void *arg, struct buffer *body) { return write_history(arg, body, HISTORY_1_H); }
static int history_24h(void *arg, struct buffer *body) { return write_history(arg, body, HISTORY_24_H); }

static int metrics(void *arg, struct buffer *body)
{
    snapshot_write_metrics(report_take(arg), body);
    return HTTP_OK;
}

static int healthz(void *arg, struct buffer *body)
{
    const struct snapshot *s = report_take(arg);
    return write_json(body, health_json(s), s->is_well ? HTTP_OK : HTTP_SERVUNAVAIL);
}

static int readyz(void *arg, struct buffer *body)
{
    struct master *m = arg;
    const struct snapshot *s = report_take(m);
    return write_json(body, health_ready_json(&m->health, s), s->is_ready ? HTTP_OK : HTTP_SERVUNAVAIL);
}

static const struct http_page pages[] = {
    {"/", "text/html; charset=utf-8", page},
    {"/status.json", "application/json", status},
    {"/history.json", "application/json", history},
    {"/history-1h.json", "application/json", history_1h},
    {"/history-24h.json", "application/json", history_24h},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics},
    {"/healthz", "application/json", healthz},
    {"/readyz", "application/json", readyz},
    {.path = NULL},
};

bool report_open_pages(struct master *m, struct error *why)
{
    struct buffer policy;
    if (m->config->http_listen[0] == '\0')
        return true;
    buffer_init(&policy);
    if (page_policy(&policy))
        m->http = http_new(m->base, m->config->http_listen, pages, m, (const char *)policy.data, why);
    else
        error_set(why, "http_listen: out of memory");
    buffer_fini(&policy);
    if (m->http != NULL)
        log_info("status page and metrics on %s", m->config->http_listen);
    return m->http != NULL;
}
