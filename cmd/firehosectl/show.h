/* show.h: reads members of the daemon's answers, and colours their text. The functions that print whole answers stand
 * in the file of their subject. */
#ifndef FIREHOSED_CMD_SHOW_H
#define FIREHOSED_CMD_SHOW_H

#include <jansson.h>
#include <stdbool.h>

/* ---- members of objects; a missing one is "", 0 or false ---- */
/* Cleans all texts of an answer in place (base/text.h), before people see any of it. */
void show_clean(json_t *value);

const char *member_text(const json_t *object, const char *key);
json_int_t member_number(const json_t *object, const char *key);
double member_real(const json_t *object, const char *key);
bool member_flag(const json_t *object, const char *key);

/* ---- colour, only on a terminal, and not if NO_COLOR is set ---- */
enum colour { PLAIN, GOOD, WARNING, BAD, FAINT };
const char *colour_on(enum colour c);
const char *colour_off(void);

/* Returns the colour for a state of the master, the relay, Redis or a worker. */
enum colour state_colour(const char *state);

/* Returns the colour for a lag in seconds. */
enum colour lag_colour(double seconds);

/* show_status.c */
void show_status(const json_t *status);
void show_workers(const json_t *workers);
void show_health(const json_t *health); /* the answer to ready or healthy */

/* show_config.c */
void show_config(const json_t *config);
void show_setting(const json_t *config); /* shows all about one key */

#endif
