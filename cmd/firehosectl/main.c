/* firehosectl: asks a running firehosed over its control socket. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "show.h"

/* 1: the daemon said no; 3: no daemon there; 4: it does not answer; 64: wrong usage, as in sysexits(3). */
enum { EXIT_REFUSED = 1, EXIT_ABSENT = 3, EXIT_SILENT = 4, EXIT_USAGE = 64 };
enum { TIMEOUT_S = 5 };

static const char default_socket[] = "/run/firehosed/control.sock";

static void usage(FILE *out)
{
    fputs("usage: firehosectl [-s SOCKET] COMMAND [--json]\n"
          "Asks a running firehosed.\n\n"
          "commands:\n"
          "  status     how it is: relay, Redis, workers, ring, and the balance of events\n\n"
          "  -s SOCKET  its control socket (default: /run/firehosed/control.sock)\n"
          "  --json     print the answer as JSON\n"
          "  -V, -h     version, this help\n\n"
          "exit status: 0 answered; 1 refused; 3 no firehosed there; 4 it does not answer; 64 usage\n",
          out);
}

/* Connects; ends the program with a message where that cannot be. */
static int reach(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "firehosectl: %s: the path is too long for a socket\n", path);
        exit(EXIT_USAGE);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    }
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        const char *hint = errno == ENOENT         ? "no firehosed runs with this socket (is it started? another -s?)"
                           : errno == ECONNREFUSED ? "firehosed is gone, its socket is left over"
                           : errno == EACCES       ? "you may not talk to it (run as its user, or as root)"
                                                   : strerror(errno);
        fprintf(stderr, "firehosectl: %s: %s\n", path, hint);
        exit(errno == EAGAIN ? EXIT_SILENT : EXIT_ABSENT);
    }
    return fd;
}

/* Sends the request and reads one line. */
static json_t *ask(int fd, const char *command)
{
    json_t *request = json_pack("{s:s}", "command", command);
    char *line = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    FILE *stream = fdopen(fd, "r+");
    json_t *answer = NULL;
    if (line != NULL && stream != NULL && fprintf(stream, "%s\n", line) > 0 && fflush(stream) == 0)
        answer = json_loadf(stream, JSON_DISABLE_EOF_CHECK, NULL);
    if (stream != NULL)
        fclose(stream);
    free(line);
    json_decref(request);
    if (answer == NULL) {
        fprintf(stderr, "firehosectl: no answer within %d s: firehosed is there, but busy or stopped\n", TIMEOUT_S);
        exit(EXIT_SILENT);
    }
    return answer;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                                 {"socket", required_argument, NULL, 's'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {"version", no_argument, NULL, 'V'},
                                                 {NULL, 0, NULL, 0}};
    const char *path = default_socket;
    bool as_json = false;
    for (int c; (c = getopt_long(argc, argv, "s:hV", long_options, NULL)) != -1;)
        switch (c) {
        case 's':
            path = optarg;
            break;
        case 'j':
            as_json = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("firehosectl " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    if (optind + 1 != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[optind], "status") != 0) {
        fprintf(stderr, "firehosectl: '%s' is not a command; firehosectl -h lists them\n", argv[optind]);
        return EXIT_USAGE;
    }
    json_t *answer = ask(reach(path), argv[optind]);
    int status = EXIT_SUCCESS;
    if (!json_is_true(json_object_get(answer, "ok"))) {
        fprintf(stderr, "firehosectl: %s\n", json_string_value(json_object_get(answer, "error")));
        status = EXIT_REFUSED;
    } else if (as_json) {
        json_dumpf(json_object_get(answer, "result"), stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        show_status(json_object_get(answer, "result"));
    }
    json_decref(answer);
    return status;
}
