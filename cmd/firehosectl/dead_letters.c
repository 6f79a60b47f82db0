#include "config.h"

#include "dead_letters.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "show.h"

static void print_time(json_int_t ms)
{
    char text[32] = "";
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    printf("%-20s ", text);
}

static void show_list(const json_t *result)
{
    size_t i;
    json_t *entry;
    const json_t *entries = json_object_get(result, "entries");
    if (json_array_size(entries) == 0) {
        puts("There are no dead letters.");
        return;
    }
    printf("%-20s %-20s %14s %8s  %s\n", "entry", "time (UTC)", "seq", "bytes", "reason");
    json_array_foreach(entries, i, entry)
    {
        printf("%-20s ", member_text(entry, "id"));
        print_time(member_number(entry, "time_ms"));
        printf("%14s %8lld  %s\n", member_text(entry, "seq"), member_number(entry, "bytes"),
               member_text(entry, "reason"));
    }
}

static void show_entries(const json_t *result)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(result, "entries"), i, entry)
    {
        printf("%sentry   %s\n", i > 0 ? "\n" : "", member_text(entry, "id"));
        printf("seq     %s\n", member_text(entry, "seq"));
        printf("reason  %s\n", member_text(entry, "reason"));
        printf("bytes   %lld\n", member_number(entry, "bytes"));
        printf("frame   %s\n", member_text(entry, "frame"));
    }
}

static void show_dropped(const json_t *result)
{
    printf("%zu dropped\n", json_array_size(json_object_get(result, "entries")));
}

static void show_retried(const json_t *result)
{
    (void)result;
    puts("The event is in the stream.");
}

int run_dead_letters(const struct invocation *in)
{
    static const struct {
        const char *word, *request;
        void (*show)(const json_t *result);
    } verbs[] = {
        {"show", "dead-letter-show", show_entries},
        {"retry", "dead-letter-retry", show_retried},
        {"drop", "dead-letter-drop", show_dropped},
    };
    json_int_t count = 0;
    const char *word = in->argc > 0 ? in->argv[0] : "list";
    if (strcmp(word, "list") == 0) {
        if (in->argc > 1)
            return command_usage(in, "dead-letters list takes no argument");
        if (in->count != NULL && !command_number(in->count, 1, 10000, &count))
            return command_usage(in, "-n: expected a number from 1 to 10000");
        json_t *args = in->count != NULL ? json_pack("{s:I}", "count", count) : NULL;
        return command_show(in, command_ask(in, "dead-letters", args, CLIENT_TIMEOUT_S), show_list);
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i].word) != 0)
            continue;
        if (in->argc != 2)
            return command_usage(in, "dead-letters %s: expected a seq, or the id of an entry", word);
        json_t *args = json_pack("{s:s}", "entry", in->argv[1]);
        return command_show(in, command_ask(in, verbs[i].request, args, CLIENT_TIMEOUT_S), verbs[i].show);
    }
    return command_usage(in, "dead-letters: expected list, show, retry or drop");
}
