#include "config.h"

#include "start_check.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/settings.h"
#include "base/settings_print.h"
#include "master/config_check.h"
#include "master/filter.h"
#include "worker/sandbox.h"

/* Checks that the process can make a file in the folder of `path`. */
static bool check_folder(const char *path, struct error *why)
{
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    if (path[0] == '\0' || faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
        return true;
    error_set(why, "'%s' cannot be made: %s, expected a folder %s that firehosed may write to", path, strerror(errno),
              folder);
    return false;
}

static bool check_sandbox(const struct config *config, const struct privileges *owner, struct error *why)
{
    (void)owner;
    struct error reason;
    if (config->sandbox != CONFIG_SANDBOX_STRICT || sandbox_try(config, &reason))
        return true;
    error_set(why, "strict, but this system cannot: %s; set sandbox = off to run without it", reason.text);
    return false;
}

static bool check_dids_file(const struct config *config, const struct privileges *owner, struct error *why)
{
    (void)owner;
    return filter_check_dids(config, why);
}

/* The start makes a log file that is missing before it becomes the user, and opens it as the user. */
static bool check_log_file(const struct config *config, const struct privileges *owner, struct error *why)
{
    bool is_there = access(config->log_file, F_OK) == 0;
    if (is_there)
        privileges_lend_begin(owner, NULL);
    bool ok = log_check(config->log_file, why);
    if (is_there)
        privileges_lend_end(owner);
    return ok;
}

static bool check_pid_file(const struct config *config, const struct privileges *owner, struct error *why)
{
    (void)owner;
    bool can_be_written = faccessat(AT_FDCWD, config->pid_file, R_OK | W_OK, AT_EACCESS) == 0;
    return can_be_written || check_folder(config->pid_file, why);
}

static bool check_control_socket(const struct config *config, const struct privileges *owner, struct error *why)
{
    (void)owner;
    return check_folder(config->control_socket, why);
}

/* The master reads certificates again as the user that it becomes. */
static void check_as_owner(const struct config *config, const struct privileges *owner, struct error_list *wrong)
{
    privileges_lend_begin(owner, NULL);
    master_check_config(config, wrong);
    privileges_lend_end(owner);
}

bool start_has_default_path(const struct config *config, const char *key)
{
    char path[1024];
    const struct setting *row = &config_table[settings_find(config_table, key)];
    return strcmp(settings_format(row, config, path, sizeof path), row->fallback) == 0;
}

static int check_machine(const struct config *config, const struct privileges *owner, struct error_list *wrong)
{
    static const struct {
        const char *key;
        int status;
        bool (*check)(const struct config *config, const struct privileges *owner, struct error *why);
    } checks[] = {
        {"sandbox", EXIT_CONFIG, check_sandbox},
        {"dids_file", EXIT_CONFIG, check_dids_file},
        {"log_file", EXIT_FAILURE, check_log_file},
        {"pid_file", EXIT_FAILURE, check_pid_file},
        {"control_socket", EXIT_FAILURE, check_control_socket},
    };
    char origin[1200];
    struct error why;
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        bool is_path = checks[i].status == EXIT_FAILURE;
        if ((is_path && start_has_default_path(config, checks[i].key)) || checks[i].check(config, owner, &why))
            continue;
        error_context(&why, "%s: %s", config_origin(config, checks[i].key, origin, sizeof origin), checks[i].key);
        error_list_add(wrong, &why);
        status = checks[i].status > status ? checks[i].status : status;
    }
    return status;
}

int start_check(const char *file, struct config **config, struct privileges *owner, struct error_list *wrong)
{
    struct error why;
    *owner = (struct privileges){0};
    *config = config_read(file, wrong);
    if (*config == NULL)
        return EXIT_CONFIG;
    bool is_known = privileges_find(*config, owner, &why);
    if (!is_known || !privileges_check(owner, &why))
        error_list_add(wrong, &why);
    owner->changes = owner->changes && is_known;
    check_as_owner(*config, owner, wrong);
    int status = wrong->count > 0 ? EXIT_CONFIG : EXIT_SUCCESS;
    int machine = check_machine(*config, owner, wrong);
    return machine > status ? machine : status;
}
