/* firehose-replay: a relay for tests, benchmarks and operators. It serves captures or generated frames, and records the
 * frames of a real relay. main() finds the subcommand and calls it; each subcommand has a file of its own. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

static const struct command *const commands[] = {
    &serve_command,
    &record_command,
    &generate_command,
    &inspect_command,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(void)
{
    printf("usage: firehose-replay COMMAND [OPTION]…\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("\nfirehose-replay COMMAND --help tells more; so does firehose-replay(1).\n");
}

static bool is_option(const char *text, const char *name, const char *letter)
{
    return strcmp(text, name) == 0 || strcmp(text, letter) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("firehose-replay: expected a command: serve, record, generate or inspect (see --help)\n", stderr);
        return EXIT_USAGE;
    }
    if (is_option(argv[1], "--help", "-h")) {
        print_usage();
        return EXIT_DONE;
    }
    if (is_option(argv[1], "--version", "-V")) {
        printf("firehose-replay %s\n", PACKAGE_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(argc - 1, argv + 1);
    fprintf(stderr, "firehose-replay: no command '%s', expected serve, record, generate or inspect (see --help)\n",
            argv[1]);
    return EXIT_USAGE;
}
