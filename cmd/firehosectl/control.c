#include "config.h"

#include "control.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_text.h"
#include "base/limits.h"
#include "show.h"

/* ---- configuration ---- */

static void show_reload(const json_t *result)
{
    const json_t *change, *changes = json_object_get(result, "changes");
    size_t i;
    if (json_array_size(changes) == 0)
        puts("The configuration is valid; nothing in it has changed.");
    json_array_foreach(changes, i, change) printf("%s: %s -> %s%s\n", member_text(change, "key"),
                                                  member_text(change, "from"), member_text(change, "to"),
                                                  member_flag(change, "needs_restart") ? " (needs a restart)" : "");
}

int run_reload(const struct invocation *in)
{
    return command_show(in, command_ask(in, "reload", NULL, CLIENT_TIMEOUT_S), show_reload);
}

static void show_log_level(const json_t *result)
{
    printf("log_level is %s (was %s), until the next reload or restart\n", member_text(result, "log_level"),
           member_text(result, "before"));
}

int run_log_level(const struct invocation *in)
{
    json_t *args = json_pack("{s:s}", "level", in->argv[0]);
    return command_show(in, command_ask(in, "log-level", args, CLIENT_TIMEOUT_S), show_log_level);
}

/* ---- workers ---- */

static void show_resize(const json_t *result)
{
    printf("%lld workers (before: %lld), until the next reload or restart\n", member_number(result, "workers"),
           member_number(result, "before"));
}

int run_workers(const struct invocation *in)
{
    json_int_t workers;
    if (in->argc == 0)
        return command_show(in, command_ask(in, "workers", NULL, CLIENT_TIMEOUT_S), show_workers);
    if (!command_number(in->argv[0], 1, WORKERS_MAX, &workers))
        return command_usage(in, "workers: '%s' is not a number from 1 to %d", in->argv[0], WORKERS_MAX);
    return command_show(in, command_ask(in, "resize", json_pack("{s:I}", "workers", workers), CLIENT_TIMEOUT_S),
                        show_resize);
}

static void show_restarted(const json_t *result)
{
    const json_t *worker;
    size_t i;
    json_array_foreach(json_object_get(result, "restarted"), i, worker)
        printf("worker %lld: process %lld, was %lld\n", member_number(worker, "index"),
               member_number(worker, "pid"), member_number(worker, "old_pid"));
}

int run_restart_worker(const struct invocation *in)
{
    json_t *args = json_pack("{s:s}", "worker", in->argv[0]);
    return command_show(in, command_ask(in, "restart-worker", args, CLIENT_TIMEOUT_S), show_restarted);
}

/* ---- reading the relay ---- */

static void show_paused(const json_t *result)
{
    const char *cursor = member_text(result, "cursor");
    printf("%s; cursor %s\n", member_flag(result, "paused") ? "paused: firehosed does not read the relay"
                                                            : "firehosed reads the relay",
           cursor[0] != '\0' ? cursor : "none yet");
}

int run_plain(const struct invocation *in)
{
    return command_show(in, command_ask(in, in->command->name, NULL, CLIENT_TIMEOUT_S), show_paused);
}

/* ---- cursor ---- */

static const char *or_none(const char *text) { return text[0] != '\0' ? text : "none"; }

static void show_cursor(const json_t *c)
{
    const json_t *marks = json_object_get(c, "marks");
    printf("relay     %s%s\n", member_text(c, "relay"), member_flag(c, "paused") ? " (paused)" : "");
    printf("current   %s\n", or_none(member_text(c, "current")));
    printf("saved     %s in %s\n", or_none(member_text(c, "saved")), member_text(c, "key"));
    printf("newest    %s\n", or_none(member_text(c, "newest")));
    if (member_number(marks, "partitions") > 0)
        printf("marks     %s to %s, of %lld partitions\n", member_text(marks, "lowest"), member_text(marks, "highest"),
               member_number(marks, "partitions"));
    else
        puts("marks     none yet");
}

/* Asks the user on the terminal. */
static bool is_confirmed(const char *question)
{
    char answer[16];
    fprintf(stderr, "%s [y/N] ", question);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int set_cursor(const struct invocation *in)
{
    char question[400];
    json_int_t seq = 0;
    bool live = in->argc == 2 && strcmp(in->argv[1], "live") == 0;
    if (in->argc < 2 || strcmp(in->argv[0], "set") != 0)
        return command_usage(in, "cursor: expected nothing, or: set SEQ, set live");
    if (!live && !command_number(in->argv[1], 0, INT64_MAX, &seq))
        return command_usage(in, "cursor: '%s' is neither a sequence number nor live", in->argv[1]);
    if (live)
        snprintf(question, sizeof question,
                 "This deletes cursor and marks. firehosed continues with live events and skips all earlier ones.\n"
                 "Continue?");
    else
        snprintf(question, sizeof question,
                 "firehosed continues after seq %lld. It writes later events again, even if the stream has them.\n"
                 "It skips earlier events, even if the stream does not have them. Continue?",
                 seq);
    if (!in->yes && !isatty(STDIN_FILENO))
        return command_usage(in, "cursor set: there is no terminal to ask on; --yes answers the question");
    if (!in->yes && !is_confirmed(question)) {
        fputs("firehosectl: nothing was changed\n", stderr);
        return EXIT_REFUSED;
    }
    json_t *args = live ? json_pack("{s:b}", "live", 1) : json_pack("{s:I}", "seq", seq);
    return command_show(in, command_ask(in, "cursor-set", args, CLIENT_TIMEOUT_S), show_cursor);
}

int run_cursor(const struct invocation *in)
{
    if (in->argc > 0)
        return set_cursor(in);
    return command_show(in, command_ask(in, "cursor", NULL, CLIENT_TIMEOUT_S), show_cursor);
}

/* ---- the end ---- */

/* The connection lasts as long as the process, so its end shows that the process has ended. */
int run_shutdown(const struct invocation *in)
{
    struct error why;
    json_t *answer, *item, *more;
    struct client *client = command_open(in);
    enum client_result result = client_ask(client, "shutdown", NULL, &answer, &why);
    if (result != CLIENT_OK) {
        client_close(client);
        return command_fail(result, &why);
    }
    client_set_timeout(client, 0);
    while (client_receive(client, &item, &more, &why) == CLIENT_OK) {
        json_decref(item);
        json_decref(more);
    }
    client_close(client);
    if (in->as_json)
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_NUMBERS);
    else
        printf("firehosed, process %lld, has ended", member_number(answer, "pid"));
    putchar('\n');
    json_decref(answer);
    return EXIT_SUCCESS;
}
