/* top_view.c: the layout:
 *
 *   head          title, rate and lag, ring and Redis, kinds, the last minutes (one row, or what the panes leave free)
 *   narrow        the chosen pane (collections too, if workers leave room), and below it errors
 *   high          workers above collections
 *   wide          workers beside collections
 *   last line     the keys */
#include "config.h"

#include "top_view.h"

#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/human.h"
#include "screen.h"
#include "spark.h"
#include "top_panes.h"

enum {
    WIDE_COLUMNS = 130, /* workers and collections fit beside each other */
    HIGH_ROWS = 40,     /* all panes fit above each other */
    HIGH_BODY_ROWS = 30, /* of them without head and keys */
    HEAD_ROWS = 5, /* title, rate, ring, kinds and keys: all lines but charts and panes */
    HIGH_SPARK_ROWS = 4,
    ERROR_ROWS = 4, /* with the title, if errors are not the chosen pane */
    LABEL = 8,
    SMALL_PANE = 5, /* the fewest lines that make a pane worth showing */
};

static void put_state(struct screen_pen *p, const char *state)
{
    p->colour = state_colour(state);
    screen_put(p, "%s", state);
    p->colour = PLAIN;
}

static struct screen_pen labelled(int row, const char *label)
{
    struct screen_pen p = screen_pen(row, 0, INT32_MAX);
    p.colour = FAINT;
    screen_put(&p, "%s", label);
    p.colour = PLAIN;
    p.column = LABEL;
    return p;
}

/* Writes text at the right end of a line. */
static void put_right(int row, const char *text)
{
    int columns = screen_columns(), len = (int)strlen(text);
    struct screen_pen p = screen_pen(row, columns > len ? columns - len : 0, columns);
    screen_put(&p, "%s", text);
}

static void draw_title(const struct top *t)
{
    char clock[32];
    time_t now = time(NULL);
    struct tm local;
    struct screen_pen p = screen_pen(0, 0, INT32_MAX);
    strftime(clock, sizeof clock, t->is_paused ? "VIEW PAUSED %H:%M:%S" : "%H:%M:%S", localtime_r(&now, &local));
    p.style = STYLE_BOLD;
    screen_put(&p, "firehosed ");
    p.style = STYLE_PLAIN;
    if (t->status != NULL) {
        char up[HUMAN_BYTES];
        const json_t *relay = json_object_get(t->status, "relay");
        const char *url = member_text(relay, "url"), *host = strstr(url, "://");
        host = host != NULL ? host + 3 : url;
        screen_put(&p, "%s ", member_text(t->status, "version"));
        put_state(&p, member_text(t->status, "state"));
        screen_put(&p, ", up %s   relay %.*s: ", human_duration(member_real(t->status, "uptime_s"), up),
                   (int)strcspn(host, "/"), host);
        put_state(&p, member_text(relay, "state"));
        if (member_flag(relay, "paused"))
            screen_put(&p, ", waits: the ring is full");
    }
    put_right(0, clock);
}

static void draw_rate(const struct top *t, int row)
{
    const json_t *rates = json_object_get(t->status, "rates"), *lag = json_object_get(t->status, "lag_s"),
                 *eta = json_object_get(t->status, "eta_s");
    char text[HUMAN_BYTES];
    struct screen_pen p = labelled(row, "rate");
    p.style = STYLE_BOLD;
    screen_put(&p, "%s/s", human_count((uint64_t)(member_real(rates, "events_per_s") + 0.5), text));
    p.style = STYLE_PLAIN;
    screen_put(&p, " (10 s: %s)", human_count((uint64_t)(member_real(rates, "events_per_s_10s") + 0.5), text));
    screen_put(&p, "  %s/s", human_bytes(member_real(rates, "bytes_per_s"), text));
    screen_put(&p, "   lag ");
    double seconds = json_number_value(lag);
    p.colour = json_is_number(lag) ? lag_colour(seconds) : PLAIN;
    if (json_is_number(lag))
        screen_put(&p, "%s", human_lag(seconds, text));
    else
        screen_put(&p, "?");
    p.colour = PLAIN;
    if (json_is_number(eta))
        screen_put(&p, ", live in %s", human_duration(json_number_value(eta), text));
    screen_put(&p, "   in flight %s", human_count((uint64_t)member_number(t->status, "in_flight"), text));
}

static void draw_ring(const struct top *t, int row)
{
    const json_t *ring = json_object_get(t->status, "ring"), *redis = json_object_get(t->status, "redis");
    double size = (double)member_number(ring, "size_bytes"), used = (double)member_number(ring, "used_bytes");
    double part = size > 0 ? used / size : 0;
    char text[HUMAN_BYTES];
    struct screen_pen p = labelled(row, "ring");
    p.colour = part < 0.5 ? GOOD : part < 0.9 ? WARNING : BAD;
    screen_gauge(&p, part, screen_columns() >= WIDE_COLUMNS ? 30 : 12);
    p.colour = PLAIN;
    screen_put(&p, " %.0f%% of %s", part * 100, human_bytes(size, text));
    screen_put(&p, "   redis ");
    put_state(&p, member_text(redis, "state"));
    if (json_is_integer(json_object_get(redis, "used_memory")))
        screen_put(&p, " %s", human_bytes((double)member_number(redis, "used_memory"), text));
    if (member_number(redis, "max_memory") > 0)
        screen_put(&p, " of %s", human_bytes((double)member_number(redis, "max_memory"), text));
    if (json_is_integer(json_object_get(redis, "stream_length")))
        screen_put(&p, ", stream %s", human_count((uint64_t)member_number(redis, "stream_length"), text));
    if (member_number(redis, "dead_letters_length") > 0) {
        p.colour = WARNING;
        screen_put(&p, ", dead %s", human_count((uint64_t)member_number(redis, "dead_letters_length"), text));
    }
}

static void draw_kinds(const struct top *t, int row)
{
    char text[HUMAN_BYTES];
    struct screen_pen p = labelled(row, "kinds");
    for (int i = 0; i < TOP_KINDS; i++)
        if (t->kind_per_s[i] >= 0)
            screen_put(&p, "%s%s %s", i > 0 ? "  " : "", top_kinds[i],
                       human_count((uint64_t)(t->kind_per_s[i] + 0.5), text));
    if (t->kind_per_s[0] >= 0)
        screen_put(&p, " /s");
    const char *cursor = member_text(t->status, "cursor");
    if (screen_columns() - p.column > (int)strlen(cursor) + 10)
        screen_put(&p, "   cursor %s", cursor);
}

/* Draws the last minutes of one series, `rows` high, with its maximum and its time span on the right. */
static void draw_series(const struct top *t, int row, int rows, int series, const char *label)
{
    double cells[512];
    char text[HUMAN_BYTES], span[HUMAN_BYTES];
    int columns = screen_columns();
    size_t width = columns > LABEL + 20 ? (size_t)(columns - LABEL - 18) : 10;
    width = width < sizeof cells / sizeof cells[0] ? width : sizeof cells / sizeof cells[0];
    double max = spark_fold(t->history[series], t->history_count, series == 0 ? SPARK_MEAN : SPARK_MAX, cells, width);
    labelled(row, label);
    for (int r = 0; r < rows; r++) {
        struct screen_pen p = screen_pen(row + r, LABEL, INT32_MAX);
        p.colour = series == 0 ? GOOD : max < 5 ? GOOD : WARNING;
        for (size_t i = 0; i < width; i++)
            screen_bar(&p, spark_level(cells[i], max, rows, r));
    }
    struct screen_pen p = screen_pen(row, LABEL + (int)width + 1, INT32_MAX);
    if (series == 0)
        screen_put(&p, "max %s/s", human_count((uint64_t)(max + 0.5), text));
    else
        screen_put(&p, "max %s", human_lag(max, text));
    if (rows > 1) {
        p = screen_pen(row + 1, LABEL + (int)width + 1, INT32_MAX);
        screen_put(&p, "last %s", human_duration((double)t->history_count, span));
    }
}

/* Returns the lines of each chart: on a high terminal all that the panes do not fill. */
static int series_rows(const struct top *t)
{
    int workers = (int)pane_length(t, PANE_WORKERS) + 2, collections = (int)pane_length(t, PANE_COLLECTIONS) + 2;
    int lists = screen_columns() < WIDE_COLUMNS ? workers + collections : workers > collections ? workers : collections;
    int body = lists * 4 / 3 + 1; /* errors get a quarter */
    int rows = (screen_rows() - HEAD_ROWS - (body < HIGH_BODY_ROWS ? HIGH_BODY_ROWS : body)) / 2;
    if (screen_rows() < HIGH_ROWS)
        return 1;
    return rows < HIGH_SPARK_ROWS ? HIGH_SPARK_ROWS : rows;
}

static int draw_head(const struct top *t)
{
    int rows = series_rows(t), at = 1;
    draw_title(t);
    if (t->status == NULL)
        return at;
    draw_rate(t, at++);
    draw_ring(t, at++);
    draw_kinds(t, at++);
    draw_series(t, at, rows, 0, "events");
    at += rows;
    draw_series(t, at, rows, 1, "lag");
    return at + rows;
}

static void draw_trouble(const struct top *t)
{
    struct screen_pen p = screen_pen(1, 0, INT32_MAX);
    size_t n = strlen(t->socket);
    const char *why = t->trouble.text;
    if (strncmp(why, t->socket, n) == 0 && strncmp(why + n, ": ", 2) == 0)
        why += n + 2; /* skip the path: it might leave no room for the reason */
    p.colour = BAD;
    p.style = STYLE_REVERSE;
    screen_put(&p, " not there, trying: %s ", why);
}

static void draw_keys(const struct top *t)
{
    static const char *const sorts[] = {"usual", "rate", "total", "name"};
    struct screen_pen p = screen_pen(screen_rows() - 1, 0, INT32_MAX);
    p.style = STYLE_REVERSE;
    screen_put(&p, " q quit  p %s  s sort: %s  w workers/collections  e errors  ? help ",
               t->is_paused ? "go on" : "pause", sorts[t->sort]);
}

static void draw_help(int from, int until)
{
    static const char *const lines[][2] = {
        {"q", "quit"},
        {"p", "pause the view (firehosed goes on), and continue it"},
        {"s", "sort: usual, by rate, by total, by name"},
        {"w Tab", "show workers or collections, if there is no room for both"},
        {"e", "give warnings and errors all the room"},
        {"j k ↓ ↑", "scroll"},
        {"?", "leave this help"},
        {"", ""},
        {"lag", "age of events at their commit; below 5 s is live"},
        {"ring", "frames between relay and commit; full: Redis or the workers are slower than the relay"},
        {"charts", "the last ten minutes, the newest on the right"},
    };
    screen_rule(from, 0, screen_columns(), "help");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && from + 1 + (int)i < until; i++) {
        struct screen_pen p = screen_pen(from + 1 + (int)i, 2, INT32_MAX);
        p.style = STYLE_BOLD;
        screen_put(&p, "%s", lines[i][0]);
        p.style = STYLE_PLAIN;
        p.column = 12;
        screen_put(&p, "%s", lines[i][1]);
    }
}

typedef void draw_pane(const struct top *t, int from, int until, int left, int right);
static draw_pane *const panes[PANES] = {pane_workers, pane_collections, pane_errors};

static void draw_body(const struct top *t, int from, int until)
{
    int columns = screen_columns(), errors = until - ERROR_ROWS;
    int workers = (int)pane_length(t, PANE_WORKERS) + 2; /* with the title and the names of the columns */
    bool wide = columns >= WIDE_COLUMNS, high = until - from >= HIGH_BODY_ROWS;
    if (until - from < ERROR_ROWS + 3 || t->pane == PANE_ERRORS) {
        panes[t->pane](t, from, until, 0, columns);
        return;
    }
    if (high)
        errors = until - (until - from) / 4;
    if (wide) {
        pane_workers(t, from, errors, 0, columns / 2 - 1);
        pane_collections(t, from, errors, columns / 2 + 1, columns);
    } else if (high || (t->pane == PANE_WORKERS && errors - from >= workers + SMALL_PANE)) {
        int half = (errors - from) / 2, middle = from + (workers < half || !high ? workers : half);
        pane_workers(t, from, middle, 0, columns);
        pane_collections(t, middle, errors, 0, columns);
    } else {
        panes[t->pane](t, from, errors, 0, columns);
    }
    pane_errors(t, errors, until, 0, columns);
}

void top_draw(const struct top *t)
{
    screen_clear();
    int at = draw_head(t), last = screen_rows() - 1;
    if (t->shows_help)
        draw_help(at, last);
    else if (t->status != NULL)
        draw_body(t, at, last);
    if (t->trouble.text[0] != '\0')
        draw_trouble(t);
    draw_keys(t);
    screen_show();
}
