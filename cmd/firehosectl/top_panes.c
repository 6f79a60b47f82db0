#include "config.h"

#include "top_panes.h"

#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "screen.h"

enum { LINES_MAX = 128 };

static const json_t *list_of(const struct top *t, enum top_pane pane)
{
    static const char *const names[] = {"workers", "collections", "recent_errors"};
    return json_object_get(t->status, names[pane]);
}

size_t pane_length(const struct top *t, enum top_pane pane) { return json_array_size(list_of(t, pane)); }

/* ---- order ---- */

static const char *sort_key, *sort_name; /* globals, because qsort() has no argument for them */

static int by_number(const void *a, const void *b)
{
    const json_t *one = *(const json_t *const *)a, *other = *(const json_t *const *)b;
    double x = member_real(one, sort_key), y = member_real(other, sort_key);
    return x < y ? 1 : x > y ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(member_text(*(const json_t *const *)a, sort_name), member_text(*(const json_t *const *)b, sort_name));
}

/* Writes the list in the chosen order to `out`. Returns its length. */
static size_t sorted(const struct top *t, enum top_pane pane, const json_t *out[LINES_MAX])
{
    const json_t *list = list_of(t, pane), *one;
    size_t i, count = 0;
    json_array_foreach(list, i, one) if (count < LINES_MAX) out[count++] = one;
    if (pane == PANE_WORKERS && (t->sort == SORT_USUAL || t->sort == SORT_NAME))
        return count; /* the daemon sends workers by number */
    sort_name = "name";
    sort_key = t->sort == SORT_RATE ? "per_s" : pane == PANE_WORKERS ? "written" : "events";
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): qsort() sorts pointers here */
    qsort(out, count, sizeof out[0], t->sort == SORT_NAME ? by_name : by_number);
    return count;
}

static size_t first_line(const struct top *t, enum top_pane pane) { return t->pane == pane ? (size_t)t->scroll : 0; }

/* ---- workers ---- */

static void draw_worker(const json_t *w, int row, int left, int right)
{
    const char *state = member_text(w, "state"), *note = member_text(w, "note");
    char rate[HUMAN_BYTES], queued[HUMAN_BYTES];
    struct screen_pen p = screen_pen(row, left, right);
    screen_put(&p, "%3lld %8lld  ", member_number(w, "index"), member_number(w, "pid"));
    p.colour = state_colour(state);
    screen_put(&p, "%-10s", state);
    p.colour = PLAIN;
    screen_put(&p, " %9s %6lld %9.1f %8s %8lld", human_count((uint64_t)(member_real(w, "per_s") + 0.5), rate),
               member_number(w, "batch_events"), (double)member_number(w, "round_trip_us") / 1000,
               human_count((uint64_t)member_number(w, "queued"), queued), member_number(w, "restarts"));
    p.colour = WARNING;
    if (note[0] != '\0')
        screen_put(&p, "  %s", note);
}

void pane_workers(const struct top *t, int from, int until, int left, int right)
{
    const json_t *lines[LINES_MAX];
    size_t count = sorted(t, PANE_WORKERS, lines), i = first_line(t, PANE_WORKERS);
    screen_rule(from, left, right, "workers");
    struct screen_pen p = screen_pen(from + 1, left, right);
    p.style = STYLE_BOLD;
    screen_put(&p, "  #      pid  state       events/s  batch  redis ms   queued restarts");
    for (int row = from + 2; row < until && i < count; row++)
        draw_worker(lines[i++], row, left, right);
}

/* ---- collections ---- */

static double sum_of(const json_t *const *lines, size_t count, const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += member_real(lines[i], key);
    return sum;
}

void pane_collections(const struct top *t, int from, int until, int left, int right)
{
    const json_t *lines[LINES_MAX];
    size_t count = sorted(t, PANE_COLLECTIONS, lines), i = first_line(t, PANE_COLLECTIONS);
    double all = sum_of(lines, count, "per_s");
    char rate[HUMAN_BYTES], total[HUMAN_BYTES];
    screen_rule(from, left, right, "collections");
    struct screen_pen p = screen_pen(from + 1, left, right);
    p.style = STYLE_BOLD;
    screen_put(&p, "  %-36s %10s %6s %14s", "of each commit's first operation", "commits/s", "part", "in all");
    for (int row = from + 2; row < until && i < count; row++, i++) {
        double per_s = member_real(lines[i], "per_s");
        p = screen_pen(row, left, right);
        screen_put(&p, "  %-36.36s %10s %5.1f%% %14s", member_text(lines[i], "name"),
                   human_count((uint64_t)(per_s + 0.5), rate), all > 0 ? per_s / all * 100 : 0,
                   human_count((uint64_t)member_number(lines[i], "events"), total));
    }
}

/* ---- errors ---- */

void pane_errors(const struct top *t, int from, int until, int left, int right)
{
    const json_t *list = list_of(t, PANE_ERRORS);
    size_t count = json_array_size(list), i = first_line(t, PANE_ERRORS);
    screen_rule(from, left, right, count > 0 ? "newest warnings and errors (UTC)" : "no warnings, no errors");
    for (int row = from + 1; row < until && i < count; row++, i++) {
        const json_t *e = json_array_get(list, i);
        const char *level = member_text(e, "level"), *time = member_text(e, "time");
        struct screen_pen p = screen_pen(row, left, right);
        screen_put(&p, "%.8s ", strlen(time) > 11 ? time + 11 : time);
        p.colour = strcmp(level, "error") == 0 ? BAD : WARNING;
        screen_put(&p, "%-5s ", level);
        p.colour = PLAIN;
        screen_put(&p, "%s: %s", member_text(e, "process"), member_text(e, "text"));
    }
}
