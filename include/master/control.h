/* control.h: the socket that firehosectl talks to. One JSON object a line in, one a line out:
 *   {"command":"status"}  ->  {"ok":true,"result":{…}}  or  {"ok":false,"error":"…"} */
#ifndef FIREHOSED_MASTER_CONTROL_H
#define FIREHOSED_MASTER_CONTROL_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct control;

/* Answers one request: the result (a new reference), or NULL and *why. */
typedef json_t *control_handler(void *arg, const char *command, const json_t *request, struct error *why);

/* Listens on a unix socket, mode 0660, replacing a stale one. NULL: *why. */
struct control *control_new(struct event_base *base, const char *path, control_handler *handler, void *arg,
                            struct error *why);

/* Stops listening and removes the socket. */
void control_free(struct control *c);

#endif
