/* commands.h: what can be asked of a running firehosed: the table (commands.c) and the handlers in its rows. Adding a
 * command is a row, a handler, and a section in doc/control-protocol.md. */
#ifndef FIREHOSED_MASTER_COMMANDS_COMMANDS_H
#define FIREHOSED_MASTER_COMMANDS_COMMANDS_H

#include "control/control.h"
#include "master/context.h"

enum argument_type { ARGUMENT_TEXT, ARGUMENT_NUMBER /* whole */, ARGUMENT_FLAG };

struct command_argument {
    const char *name; /* NULL: end */
    enum argument_type type;
    bool is_required;
    int64_t min, max; /* of a number; both 0: any */
};

enum { COMMAND_ARGUMENTS = 4 };

/* Ends the call, or keeps it and ends it later. The arguments are those of the row, of the right types. */
typedef void command_handler(struct master *m, struct control_call *call);

struct command {
    const char *name; /* NULL: end */
    command_handler *handler;
    bool changes; /* something: it is logged, with who asked */
    struct command_argument arguments[COMMAND_ARGUMENTS + 1];
    const char *help; /* one sentence */
};

extern const struct command command_table[];

/* Arguments that were checked: the text or NULL; the number or `fallback`. */
const char *command_text(const struct control_call *call, const char *name);
int64_t command_number(const struct control_call *call, const char *name, int64_t fallback);
bool command_flag(const struct control_call *call, const char *name);

/* The value as people may see it: as in the file, with passwords in URLs as "***". Returns `out`. */
enum { COMMAND_VALUE_BYTES = 4096 };
const char *command_value(const struct setting *row, const struct config *config, char *out, size_t out_bytes);

/* commands_show.c */
void command_status(struct master *m, struct control_call *call);
void command_workers(struct master *m, struct control_call *call);
void command_history(struct master *m, struct control_call *call);
void command_config(struct master *m, struct control_call *call);
void command_commands(struct master *m, struct control_call *call);

/* commands_change.c */
void command_reload(struct master *m, struct control_call *call);
void command_log_level(struct master *m, struct control_call *call);
void command_resize(struct master *m, struct control_call *call);
void command_shutdown(struct master *m, struct control_call *call);

/* commands_pause.c */
void command_pause(struct master *m, struct control_call *call);
void command_drain(struct master *m, struct control_call *call);
void command_resume(struct master *m, struct control_call *call);
void command_cursor(struct master *m, struct control_call *call);
void command_cursor_set(struct master *m, struct control_call *call);

/* dead_letters.c */
void command_dead_letters(struct master *m, struct control_call *call);
void command_dead_letter_show(struct master *m, struct control_call *call);
void command_dead_letter_drop(struct master *m, struct control_call *call);
void command_dead_letter_retry(struct master *m, struct control_call *call);

/* tail.c */
void command_tail(struct master *m, struct control_call *call);

/* commands_restart.c */
void command_restart_worker(struct master *m, struct control_call *call);

#endif
