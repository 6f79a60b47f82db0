#include "config.h"

#include "relay/liveness.h"

void liveness_reset(struct liveness *l, int64_t now_ms) { *l = (struct liveness){now_ms, now_ms, false}; }

void liveness_on_bytes(struct liveness *l, int64_t now_ms, bool has_headway)
{
    l->byte_ms = now_ms;
    l->is_pinged = false;
    if (has_headway)
        l->headway_ms = now_ms;
}

struct liveness_answer liveness_judge(struct liveness *l, int64_t now_ms, bool is_within_message,
                                      const struct config *config)
{
    int64_t silent_ms = now_ms - l->byte_ms, ping_ms = config->relay_ping_interval;
    if (is_within_message && now_ms - l->headway_ms >= config->relay_idle_timeout)
        return (struct liveness_answer){.verdict = LIVENESS_STUCK};
    if (silent_ms >= config->relay_idle_timeout)
        return (struct liveness_answer){.verdict = LIVENESS_SILENT};
    if (silent_ms < ping_ms) {
        l->is_pinged = false;
        return (struct liveness_answer){LIVENESS_FINE, ping_ms - silent_ms};
    }
    enum liveness_verdict verdict = l->is_pinged ? LIVENESS_FINE : LIVENESS_PING;
    int64_t dead_ms = config->relay_idle_timeout - silent_ms;
    l->is_pinged = true;
    return (struct liveness_answer){verdict, dead_ms < ping_ms ? dead_ms : ping_ms};
}
