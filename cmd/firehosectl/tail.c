/* tail.c: prints one line for each operation, or with --json one line for each event. */
#include "config.h"

#include "tail.h"

#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"
#include "show.h"

enum { SILENCE_S = 20 }; /* the daemon sends a sign of life every 5 s */

/* Returns the number of columns to print: those of the terminal, or no limit without a terminal. */
static size_t line_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return SIZE_MAX;
    return size.ws_col;
}

/* Appends text of strangers, with spaces for control characters, so that none reaches the terminal. */
static void append_shown(struct buffer *line, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_c1 = c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
        if (is_c1)
            text++;
        buffer_append_byte(line, c < 0x20 || c == 0x7f || is_c1 ? ' ' : c);
    }
}

/* Prints the line, cut to the terminal's width. Counts a character as a column, which is near enough. */
static void print_line(struct buffer *line)
{
    size_t width = line_width(), columns = 0, len = 0;
    buffer_append_byte(line, '\0');
    if (!line->failed)
        text_clean((char *)line->data);
    line->len -= line->len > 0;
    for (; len < line->len; len++)
        if ((line->data[len] & 0xc0) != 0x80 && columns++ == width)
            break;
    fwrite(line->data, 1, len, stdout);
    putchar('\n');
    buffer_clear(line);
}

/* Returns the words of a record, or "" if it has none. */
static const char *gist(const json_t *record)
{
    static const char *const keys[] = {"text", "displayName", "name", "subject"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(record, keys[i]);
        if (json_is_object(value))
            value = json_object_get(value, "uri");
        if (json_is_string(value))
            return json_string_value(value);
    }
    return "";
}

static void print_commit(const char *front, const json_t *data, struct buffer *line)
{
    const json_t *op;
    size_t i;
    json_array_foreach(json_object_get(data, "ops"), i, op)
    {
        buffer_append_format(line, "%s %-6s ", front, member_text(op, "action"));
        append_shown(line, member_text(op, "path"));
        buffer_append_literal(line, "  ");
        append_shown(line, gist(json_object_get(op, "record")));
        print_line(line);
    }
}

static void print_event(const json_t *event, struct buffer *line)
{
    const json_t *data = json_object_get(event, "data");
    const char *type = member_text(event, "type"), *did = member_text(data, "repo");
    char front[300];
    if (member_number(event, "left_out") > 0)
        printf("%s… %lld left out%s\n", colour_on(FAINT), member_number(event, "left_out"), colour_off());
    snprintf(front, sizeof front, "%s %s", member_text(event, "seq"), did[0] != '\0' ? did : member_text(data, "did"));
    if (strcmp(type, "commit") == 0) {
        print_commit(front, data, line);
        return;
    }
    buffer_append_format(line, "%s %s ", front, type);
    append_shown(line, member_text(data, "handle"));
    if (json_object_get(data, "active") != NULL)
        buffer_append_text(line, member_flag(data, "active") ? "active" : "not active");
    print_line(line);
}

static void show_item(const struct invocation *in, const struct client *client, json_t *item, struct buffer *line)
{
    if (json_object_get(item, "seq") == NULL)
        return; /* the item is only a sign of life */
    if (in->as_json) {
        size_t len;
        const char *text = client_item_text(client, &len);
        fwrite(text, 1, len, stdout);
        putchar('\n');
    } else {
        print_event(item, line);
    }
    fflush(stdout);
}

int run_tail(const struct invocation *in)
{
    struct error why;
    struct buffer line;
    json_t *args, *item, *answer = NULL;
    json_int_t count;
    if (in->count != NULL && !command_number(in->count, 1, INT64_MAX, &count))
        return command_usage(in, "tail: -n: '%s' is not a number above 0", in->count);
    args = json_object();
    if (in->count != NULL)
        json_object_set_new(args, "count", json_integer(count));
    if (in->collection != NULL)
        json_object_set_new(args, "collection", json_string(in->collection));
    if (in->did != NULL)
        json_object_set_new(args, "did", json_string(in->did));
    struct client *client = command_open(in);
    client_set_timeout(client, SILENCE_S);
    buffer_init(&line);
    enum client_result result = client_send(client, "tail", args, &why);
    while (result == CLIENT_OK && answer == NULL && !ferror(stdout)) {
        result = client_receive(client, &item, &answer, &why);
        if (item != NULL)
            show_item(in, client, item, &line);
        json_decref(item);
    }
    client_close(client);
    buffer_fini(&line);
    if (result != CLIENT_OK)
        return command_fail(result, &why);
    if (!in->as_json && member_number(answer, "left_out") > 0)
        fprintf(stderr, "firehosectl: %lld events that match were left out\n", member_number(answer, "left_out"));
    json_decref(answer);
    return EXIT_SUCCESS;
}
