/* firehosectl: asks a running firehosed over its control socket. This file has options and help; commands.c has the
 * table of commands. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char default_socket[] = "/run/firehosed/control.sock";

static void usage(void)
{
    fputs("usage: firehosectl [-s SOCKET] COMMAND [ARGUMENT…] [--json]\n"
          "Asks a running firehosed for its state, or tells it what to do.\n\n"
          "commands:\n",
          stdout);
    for (const struct command *c = command_table; c->name != NULL; c++) {
        int used = printf( "  %s %s", c->name, c->arguments);
        if (used > 28)
            used = printf( "\n") - 1;
        printf( "%*s%s\n", 30 - used, "", c->help);
    }
    fputs("\n"
          "  -s SOCKET  firehosed's control socket (default: $FIREHOSED_CONTROL_SOCKET, or\n"
          "             /run/firehosed/control.sock)\n"
          "  --json     print the answer as JSON\n"
          "  --yes      do not ask for confirmation (cursor set)\n"
          "  -V, -h     print the version, print this help (--version, --help)\n\n"
          "exit status: 0 done, yes; 1 refused, no; 3 no firehosed there; 4 no answer;\n"
          "64 usage\n",
          stdout);
}

static const struct command *find_command(const char *name)
{
    for (const struct command *c = command_table; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* Reads options and command. Ends the program after -h and -V, and if they are wrong. */
static void read_invocation(int argc, char **argv, struct invocation *in)
{
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                                 {"socket", required_argument, NULL, 's'},
                                                 {"yes", no_argument, NULL, 'y'},
                                                 {"collection", required_argument, NULL, 'c'},
                                                 {"did", required_argument, NULL, 'd'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {"version", no_argument, NULL, 'V'},
                                                 {NULL, 0, NULL, 0}};
    char given[8] = ""; /* letters of the given options that only some commands take */
    const char *from_environment = getenv("FIREHOSED_CONTROL_SOCKET");
    *in = (struct invocation){.socket = from_environment != NULL ? from_environment : default_socket};
    opterr = 0;
    for (int c, at = 1; (c = getopt_long(argc, argv, ":s:n:hV", long_options, NULL)) != -1; at = optind) {
        if (strchr("ycdn", c) != NULL && strchr(given, c) == NULL)
            given[strlen(given)] = (char)c;
        switch (c) {
        case 's':
            in->socket = optarg;
            break;
        case 'j':
            in->as_json = true;
            break;
        case 'y':
            in->yes = true;
            break;
        case 'c':
            in->collection = optarg;
            break;
        case 'd':
            in->did = optarg;
            break;
        case 'n':
            in->count = optarg;
            break;
        case 'h':
            usage();
            exit(EXIT_SUCCESS);
        case 'V':
            puts("firehosectl " PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        case ':':
            exit(command_usage(in, "%s needs a value", argv[optind - 1]));
        default:
            exit(command_usage(in, "'%s' is not an option", argv[optind > at ? optind - 1 : at]));
        }
    }
    if (optind == argc)
        exit(command_usage(in, "a command is missing"));
    const struct command *command = find_command(argv[optind]);
    if (command == NULL)
        exit(command_usage(in, "'%s' is not a command", argv[optind]));
    in->command = command;
    in->argc = argc - optind - 1;
    in->argv = argv + optind + 1;
    if (in->argc < command->min)
        exit(command_usage(in, "%s: an argument is missing", command->name));
    if (in->argc > command->max)
        exit(command_usage(in, "%s: '%s' is one argument too many", command->name, in->argv[command->max]));
    for (const char *option = given; *option != '\0'; option++)
        if (strchr(command->options, *option) == NULL)
            exit(command_usage(in, "%s does not take the option %s", command->name,
                               *option == 'y'   ? "--yes"
                               : *option == 'c' ? "--collection"
                               : *option == 'd' ? "--did"
                                                : "-n"));
}

int main(int argc, char **argv)
{
    struct invocation in;
    read_invocation(argc, argv, &in);
    return in.command->run(&in);
}
