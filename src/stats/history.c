#include "config.h"

#include "stats/history.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDED = 360, UNKNOWN = -1 };

/* The seconds of one value, and the number of values. */
static const struct {
    unsigned seconds, values;
} spans[HISTORY_SPANS] = {{1, HISTORY_SECONDS}, {10, FOLDED}, {240, FOLDED}};

static const struct {
    const char *name;
    double unit; /* the number of steps in 1 */
} series_table[HISTORY_SERIES] = {
    [HISTORY_EVENTS] = {"events", 1},   [HISTORY_COMMIT] = {"commit", 10},
    [HISTORY_SYNC] = {"sync", 10},      [HISTORY_IDENTITY] = {"identity", 10},
    [HISTORY_ACCOUNT] = {"account", 10}, [HISTORY_UNKNOWN] = {"unknown", 10},
    [HISTORY_DEAD_LETTERS] = {"dead_letters", 1000}, [HISTORY_LAG] = {"lag", 1000},
    [HISTORY_RING] = {"ring_percent", 10}, [HISTORY_ROUND_TRIP] = {"round_trip_ms", 10},
};

struct series {
    double seconds[HISTORY_SECONDS];       /* the newest is the last, here and below */
    double folded[HISTORY_SPANS][FOLDED];  /* not of HISTORY_10_MIN */
    double sum[HISTORY_SPANS], highest[HISTORY_SPANS];
    unsigned known[HISTORY_SPANS];         /* values in `sum` */
};

struct history {
    unsigned ticks; /* since the day's last fold */
    struct series series[HISTORY_SERIES];
};

static bool is_rate(enum history_series series) { return series < HISTORY_LAG; }

struct history *history_new(void)
{
    struct history *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    for (int s = 0; s < HISTORY_SERIES; s++) {
        for (int i = 0; i < HISTORY_SECONDS && s != HISTORY_EVENTS; i++)
            h->series[s].seconds[i] = UNKNOWN;
        for (int span = HISTORY_1_H; span < HISTORY_SPANS; span++)
            for (int i = 0; i < FOLDED; i++)
                h->series[s].folded[span][i] = UNKNOWN;
    }
    return h;
}

void history_free(struct history *h) { free(h); }

static void push(double *values, size_t count, double value)
{
    memmove(values, values + 1, (count - 1) * sizeof *values);
    values[count - 1] = value;
}

static void gather(struct series *s, int span, double value)
{
    if (value < 0)
        return;
    s->sum[span] += value;
    s->highest[span] = value > s->highest[span] ? value : s->highest[span];
    s->known[span]++;
}

static void fold(struct series *s, int span, bool rate)
{
    double value = s->known[span] == 0 ? UNKNOWN : rate ? s->sum[span] / s->known[span] : s->highest[span];
    push(s->folded[span], FOLDED, value);
    s->sum[span] = s->highest[span] = 0;
    s->known[span] = 0;
}

void history_add(struct history *h, const double values[HISTORY_SERIES])
{
    h->ticks++;
    for (int s = 0; s < HISTORY_SERIES; s++) {
        struct series *series = &h->series[s];
        push(series->seconds, HISTORY_SECONDS, values[s]);
        for (int span = HISTORY_1_H; span < HISTORY_SPANS; span++) {
            gather(series, span, values[s]);
            if (h->ticks % spans[span].seconds == 0)
                fold(series, span, is_rate((enum history_series)s));
        }
    }
    h->ticks %= spans[HISTORY_24_H].seconds; /* a multiple of the others */
}

const double *history_seconds(const struct history *h, enum history_series series)
{
    return h->series[series].seconds;
}

static json_t *value_json(double value, double unit)
{
    if (value < 0)
        return json_null();
    json_int_t steps = (json_int_t)(value * unit + 0.5);
    return unit > 1 ? json_real((double)steps / unit) : json_integer(steps);
}

json_t *history_json(const struct history *h, enum history_span span)
{
    json_t *json = json_pack("{s:i}", "interval_s", (int)spans[span].seconds);
    for (int s = 0; s < HISTORY_SERIES; s++) {
        const double *values = span == HISTORY_10_MIN ? h->series[s].seconds : h->series[s].folded[span];
        json_t *list = json_array();
        for (unsigned i = 0; i < spans[span].values; i++)
            json_array_append_new(list, value_json(values[i], series_table[s].unit));
        json_object_set_new(json, series_table[s].name, list);
    }
    return json;
}
