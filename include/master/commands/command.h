/* command.h: one command that can be given to a running firehosed, and the functions that carry commands out. Adding a
 * command is a row in the table (commands.c), a handler, and a section in doc/control-protocol.md. */
#ifndef FIREHOSED_MASTER_COMMANDS_COMMAND_H
#define FIREHOSED_MASTER_COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"
#include "master/context.h"

enum argument_type { ARGUMENT_TEXT, ARGUMENT_NUMBER /* whole */, ARGUMENT_FLAG };

struct command_argument {
    const char *name; /* NULL: end of the list */
    enum argument_type type;
    bool is_required;
    int64_t min, max; /* of a number; both 0: any */
};

enum { COMMAND_ARGUMENTS = 4 };

/* Ends the call, or keeps it and ends it later. The arguments are those of the command's row, of the right types. */
typedef void command_handler(struct master *m, struct control_call *call);

struct command {
    const char *name; /* NULL: end of the table */
    command_handler *handler;
    bool changes; /* it changes something: it is logged, with who asked */
    struct command_argument arguments[COMMAND_ARGUMENTS + 1];
    const char *help; /* one sentence */
};

/* Checks what a client gave as arguments against the command's row. Returns false if they are wrong: *why. */
bool command_check(const struct command *command, const json_t *given, struct error *why);

/* Arguments that were checked: the text or NULL; the number or `fallback`. */
const char *command_text(const struct control_call *call, const char *name);
int64_t command_number(const struct control_call *call, const char *name, int64_t fallback);
bool command_flag(const struct control_call *call, const char *name);

/* Returns true and refuses the call if firehosed is stopping. */
bool command_refuse_while_stopping(const struct master *m, struct control_call *call);

/* show.c */
command_handler command_status, command_workers, command_history, command_config, command_healthy, command_ready;
/* change.c */
command_handler command_reload, command_log_level, command_resize, command_shutdown;
/* restart.c */
command_handler command_restart_worker;
/* pause.c */
command_handler command_pause, command_drain, command_resume;
/* cursor.c */
command_handler command_cursor, command_cursor_set;
/* dead_letters.c */
command_handler command_dead_letters, command_dead_letter_show, command_dead_letter_drop, command_dead_letter_retry;
/* tail.c */
command_handler command_tail;

#endif
