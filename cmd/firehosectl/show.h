/* show.h: answers of the daemon, for people: one function a command, in the file of its subject. */
#ifndef FIREHOSED_CMD_SHOW_H
#define FIREHOSED_CMD_SHOW_H

#include <jansson.h>
#include <stdbool.h>

/* ---- members of objects; what is not there is "" or 0 ---- */
const char *member_text(const json_t *object, const char *key);
json_int_t member_number(const json_t *object, const char *key);
double member_real(const json_t *object, const char *key);
bool member_flag(const json_t *object, const char *key);

/* ---- colour, only on a terminal, and not where NO_COLOR is set ---- */
enum colour { PLAIN, GOOD, WARNING, BAD, FAINT };
const char *colour_on(enum colour c);
const char *colour_off(void);

/* show_status.c */
void show_status(const json_t *status);
void show_workers(const json_t *workers);

/* show_config.c */
void show_config(const json_t *config);
void show_setting(const json_t *config); /* one key, in full */

#endif
