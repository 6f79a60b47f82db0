/* top.c: the loop of the live view. If the daemon goes away, the loop waits until it comes back. */
#include "config.h"

#include "top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "screen.h"
#include "top_panes.h"
#include "top_view.h"

enum { EVERY_MS = 1000, ANSWER_S = 2 }; /* the view takes no keys while it waits for an answer */

/* ---- asking ---- */

static void lose(struct top *t, struct client **client, const struct error *why)
{
    client_close(*client);
    *client = NULL;
    t->trouble = *why;
}

/* Takes the history. Seconds before the daemon's start are unknown. */
static void take_history(struct top *t, const json_t *history, double uptime_s)
{
    static const char *const names[] = {"events", "lag"};
    t->history_count = 0;
    for (int series = 0; series < 2; series++) {
        const json_t *list = json_object_get(history, names[series]);
        size_t count = json_array_size(list), skip = count > TOP_HISTORY ? count - TOP_HISTORY : 0;
        for (size_t i = skip; i < count; i++) {
            const json_t *value = json_array_get(list, i);
            bool known = json_is_number(value) && (double)(count - i) <= uptime_s + 1;
            t->history[series][i - skip] = known ? json_number_value(value) : -1;
        }
        t->history_count = count - skip;
    }
}

/* Turns counters into rates. */
static void take_kinds(struct top *t, const json_t *kinds, int64_t now_ms)
{
    double seconds = (double)(now_ms - t->asked_ms) / 1000;
    for (int i = 0; i < TOP_KINDS; i++) {
        json_int_t total = member_number(kinds, top_kinds[i]);
        bool known = t->status != NULL && seconds > 0 && total >= t->kind_total[i];
        t->kind_per_s[i] = known ? (double)(total - t->kind_total[i]) / seconds : -1;
        t->kind_total[i] = total;
    }
}

static void ask(struct top *t, struct client **client)
{
    struct error why;
    enum client_result result;
    json_t *status = NULL, *history = NULL;
    if (*client == NULL && (*client = client_open(t->socket, &result, &why)) == NULL) {
        t->trouble = why;
        return;
    }
    client_set_timeout(*client, ANSWER_S);
    if (client_ask(*client, "status", NULL, &status, &why) != CLIENT_OK ||
        client_ask(*client, "history", NULL, &history, &why) != CLIENT_OK) {
        json_decref(status);
        lose(t, client, &why);
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    take_kinds(t, json_object_get(status, "kinds"), now_ms);
    take_history(t, history, member_real(status, "uptime_s"));
    json_decref(history);
    json_decref(t->status);
    show_clean(status);
    t->status = status;
    t->asked_ms = now_ms;
    t->trouble.text[0] = '\0';
}

/* ---- keys ---- */

static void scroll(struct top *t, int by)
{
    int most = (int)pane_length(t, t->pane) - 1;
    t->scroll += by;
    t->scroll = t->scroll > most ? most : t->scroll;
    t->scroll = t->scroll < 0 ? 0 : t->scroll;
}

/* Returns false if the user wants to leave. */
static bool take_key(struct top *t, int key)
{
    switch (key) {
    case 'q':
        return false;
    case 'p':
    case ' ':
        t->is_paused = !t->is_paused;
        break;
    case 's':
        t->sort = (enum top_sort)((t->sort + 1) % SORTS);
        break;
    case 'w':
    case '\t':
        t->pane = t->pane == PANE_WORKERS ? PANE_COLLECTIONS : PANE_WORKERS;
        t->scroll = 0;
        break;
    case 'e':
        t->pane = t->pane == PANE_ERRORS ? PANE_WORKERS : PANE_ERRORS;
        t->scroll = 0;
        break;
    case '?':
        t->shows_help = !t->shows_help;
        break;
    case SCREEN_UP:
    case 'k':
        scroll(t, -1);
        break;
    case SCREEN_DOWN:
    case 'j':
        scroll(t, 1);
        break;
    }
    return true;
}

/* Takes keys until the next request is due. Returns false if the user, or a signal, wants to leave. */
static bool serve_keys(struct top *t, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - clock_monotonic_ms();
        if (screen_must_end())
            return false;
        if (left <= 0)
            return true;
        int key = screen_key((int)left);
        if (key == 0)
            continue;
        if (!take_key(t, key))
            return false;
        top_draw(t);
    }
}

/* ---- without a terminal ---- */

/* Prints one line a second, for scripts. */
static int print_lines(const struct invocation *in, json_int_t count)
{
    struct error why;
    json_t *status;
    struct client *client = command_open(in);
    for (json_int_t i = 0; count == 0 || i < count; i++) {
        if (i > 0)
            sleep(EVERY_MS / 1000);
        enum client_result result = client_ask(client, "status", NULL, &status, &why);
        if (result != CLIENT_OK) {
            client_close(client);
            return command_fail(result, &why);
        }
        json_dumpf(status, stdout, JSON_COMPACT | JSON_NUMBERS);
        json_decref(status);
        if (putchar('\n') == EOF || fflush(stdout) == EOF)
            break;
    }
    client_close(client);
    return EXIT_SUCCESS;
}

int run_top(const struct invocation *in)
{
    static struct top t;
    struct client *client = NULL;
    json_int_t count = 0;
    if (in->count != NULL && (!in->as_json || !command_number(in->count, 1, INT64_MAX, &count)))
        return command_usage(in, "top: -n takes a number above 0, and goes with --json");
    if (in->as_json)
        return print_lines(in, count);
    if (!isatty(STDIN_FILENO) || !screen_open())
        return command_usage(in, "top: there is no terminal to draw on (TERM=%s); --json prints a line a second",
                             getenv("TERM") != NULL ? getenv("TERM") : "");
    t.socket = in->socket;
    do {
        if (!t.is_paused)
            ask(&t, &client);
        top_draw(&t);
    } while (serve_keys(&t, clock_monotonic_ms() + EVERY_MS));
    client_close(client);
    json_decref(t.status);
    screen_close();
    return EXIT_SUCCESS;
}
