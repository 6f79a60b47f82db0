/* firehosed: the daemon. This file reads options and configuration, takes the pid file and detaches; then it calls the
 * master. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/privileges.h"
#include "master/master.h"
#include "pidfile.h"
#include "start_check.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

/* As in sysexits(3). master_run() also returns MASTER_EXIT_TAKEN_OVER. */
enum { EXIT_USAGE = 64, EXIT_HELD = 75 };

static const char default_config_file[] = SYSCONFDIR "/firehosed.conf";
static const char default_log_file[] = "/var/log/firehosed/firehosed.log";

static void usage(void)
{
    fputs("usage: firehosed [-c FILE] [-f] [-t] [-V] [-h] [--sample[=man]]\n"
          "Reads the AT Protocol firehose and writes every event to a Redis Stream.\n\n"
          "  -c FILE         configuration file (default: " SYSCONFDIR "/firehosed.conf, if there is one)\n"
          "  -f              stay in the foreground, log to stderr\n"
          "  -t              check the configuration and exit\n"
          "  -V, --version   print the version and exit\n"
          "  -h, --help      print this and exit\n"
          "  --sample        print a configuration file with all keys, their defaults and help\n\n"
          "Keys of the configuration (firehosed.conf(5)), with their defaults. In the environment, stream_key is\n"
          "FIREHOSED_STREAM_KEY, and so on.\n",
          stdout);
    for (const struct setting *row = config_table; row->name != NULL; row++)
        printf("  %-22s %s%s%s%s\n", row->name, row->fallback[0] != '\0' ? row->fallback : "(empty)",
                row->alias != NULL ? "  [" : "", row->alias != NULL ? row->alias : "",
                row->alias != NULL ? "]" : "");
}

static void print_sample(void)
{
    puts("# firehosed.conf: the configuration of firehosed(8). Every key is here with its default;\n"
         "# take the '#' off to change one. The environment wins over the file: stream_key\n"
         "# is FIREHOSED_STREAM_KEY there, and so on. See firehosed.conf(5).\n");
    settings_write_sample(config_table, stdout);
}

struct options {
    const char *file;
    bool foreground, test;
};

/* Says in one line what is wrong with the command line, and ends the program. */
static void usage_error(const char *what, const char *option)
{
    fprintf(stderr, "firehosed: %s%s (firehosed -h lists the options)\n", option, what);
    exit(EXIT_USAGE);
}

static void print_what_was_asked(int option)
{
    switch (option) {
    case 'V':
        puts("firehosed " PACKAGE_VERSION);
        break;
    case 'h':
        usage();
        break;
    default:
        if (optarg == NULL)
            print_sample();
        else if (strcmp(optarg, "man") == 0)
            settings_write_manual(config_table, stdout);
        else
            usage_error(": expected nothing, or =man", "--sample");
    }
    exit(EXIT_SUCCESS);
}

/* Reads the options. Ends the program after those that only print, and if the options are wrong. */
static void read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"sample", optional_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    *o = (struct options){0};
    opterr = 0;
    for (int c, at = 1; (c = getopt_long(argc, argv, ":c:ftVh", longs, NULL)) != -1; at = optind)
        switch (c) {
        case 'c':
            o->file = optarg;
            break;
        case 'f':
            o->foreground = true;
            break;
        case 't':
            o->test = true;
            break;
        case ':':
            usage_error(" needs a value", argv[optind - 1]);
            break;
        case '?':
            usage_error(" is not an option", argv[optind > at ? optind - 1 : at]);
            break;
        default:
            print_what_was_asked(c);
        }
    if (optind < argc)
        usage_error(" is not an option", argv[optind]);
    if (o->file == NULL && (access(default_config_file, F_OK) == 0 || errno != ENOENT))
        o->file = default_config_file;
}

/* Makes the directory of a default path (/run/firehosed). The operator makes that of a configured path. */
static void make_directory_of(const char *path, const struct privileges *owner)
{
    char copy[1024];
    struct error ignored;
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    if (mkdir(folder, 0755) == 0 && !privileges_give_folder(owner, folder, &ignored))
        rmdir(folder); /* the next write to the folder fails and gives the reason */
}

static void write_pidfile(int pidfile, const char *path, pid_t pid)
{
    struct error why;
    if (pidfile >= 0 && !pidfile_write(pidfile, path, pid, &why))
        log_error("%s", why.text);
}

/* Continues in the background, as a child in its own session. The parent writes the pid file, because an init script
 * reads the file as soon as the command has returned. */
static void detach(int pidfile, const char *path)
{
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "firehosed: fork: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
    if (pid > 0) {
        write_pidfile(pidfile, path, pid);
        _exit(EXIT_SUCCESS);
    }
    setsid();
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || chdir("/") < 0)
        exit(EXIT_FAILURE);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

/* Locks the pid file and returns its descriptor, or -1 without a pid file. In the foreground only a configured one is
 * used, because a user may not be able to write the default one. */
static int take_pidfile(const struct options *o, const struct config *config, const struct privileges *owner)
{
    struct error why;
    int fd = -1;
    bool chosen = config_is_set(config, "pid_file");
    if (config->pid_file[0] == '\0' || (o->foreground && !chosen))
        return -1;
    if (start_has_default_path(config, "pid_file"))
        make_directory_of(config->pid_file, owner);
    enum pidfile_result result = pidfile_lock(config->pid_file, &fd, &why);
    if (result == PIDFILE_OK)
        return fd;
    fprintf(stderr, "firehosed: %s\n", why.text);
    exit(result == PIDFILE_HELD ? EXIT_HELD : EXIT_FAILURE);
}

static void open_log(const struct options *o, struct config *config, const struct privileges *owner, int pidfile)
{
    struct error why;
    if (config->log_file[0] == '\0' && !o->foreground) {
        char *path = strdup(default_log_file);
        if (path != NULL) {
            free(config->log_file);
            config->log_file = path;
            make_directory_of(path, owner);
        }
    }
    log_set_level((enum log_level)config->log_level);
    log_set_format((enum log_format)config->log_format);
    privileges_lend_begin(owner, log_is_file(config->log_file) ? config->log_file : NULL);
    bool opened = log_open(config->log_file, &why);
    privileges_lend_end(owner);
    if (!opened) {
        fprintf(stderr, "firehosed: %s\n", why.text);
        pidfile_remove(pidfile, config->pid_file);
        exit(EXIT_FAILURE);
    }
}

/* sandbox = log only warns if the system has no sandbox. (The list of checks has refused strict.) */
static void try_sandbox(struct config *config)
{
    struct error why;
    if (config->sandbox != CONFIG_SANDBOX_LOG || sandbox_try(config, &why))
        return;
    log_warn("sandbox = log: this system cannot provide a sandbox (%s): workers run without one", why.text);
    config->sandbox = CONFIG_SANDBOX_OFF;
}

static void print_errors(const struct error_list *wrong)
{
    unsigned shown = wrong->count < ERROR_LIST_MAX ? wrong->count : ERROR_LIST_MAX;
    for (unsigned i = 0; i < shown; i++)
        fprintf(stderr, "firehosed: %s\n", wrong->errors[i].text);
    if (wrong->count > shown)
        fprintf(stderr, "firehosed: and %u more errors\n", wrong->count - shown);
}

int main(int argc, char **argv)
{
    struct options options;
    struct config *config;
    struct privileges owner;
    struct error_list wrong = {0};
    char file[4096];
    read_options(argc, argv, &options);
    int wrong_status = start_check(options.file, &config, &owner, &wrong);
    if (wrong_status != EXIT_SUCCESS || options.test) {
        print_errors(&wrong);
        if (wrong_status == EXIT_SUCCESS)
            puts("firehosed: the configuration is valid");
        config_free(config);
        return wrong_status;
    }
    try_sandbox(config);
    /* SIGHUP reads the file again, and the working directory may be another one then. */
    if (options.file != NULL && realpath(options.file, file) != NULL)
        options.file = file;
    if (start_has_default_path(config, "control_socket"))
        make_directory_of(config->control_socket, &owner);
    int pidfile = take_pidfile(&options, config, &owner);
    open_log(&options, config, &owner, pidfile);
    char pid_path[1024];
    snprintf(pid_path, sizeof pid_path, "%s", config->pid_file);
    if (options.foreground)
        write_pidfile(pidfile, pid_path, getpid());
    else
        detach(pidfile, pid_path);
    int status = master_run(config, options.file, worker_run);
    pidfile_remove(pidfile, pid_path);
    return status;
}
