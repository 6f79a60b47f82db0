/* client.h: the client's side of the control protocol (doc/control-protocol.md). Blocking, with time-outs. Functions
 * that return something other than CLIENT_OK fill *why. */
#ifndef FIREHOSED_CMD_CLIENT_H
#define FIREHOSED_CMD_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

enum client_result {
    CLIENT_OK,
    CLIENT_REFUSED, /* the daemon refused the command; *why has its reason */
    CLIENT_ABSENT,  /* no daemon listens on the socket, or the user may not use the socket */
    CLIENT_SILENT,  /* the daemon does not answer, or closed the connection */
};

enum { CLIENT_TIMEOUT_S = 5 };

struct client;

/* Connects to the socket. Returns NULL on failure; *result and *why then have the reason, and what to do. */
struct client *client_open(const char *path, enum client_result *result, struct error *why);
void client_close(struct client *c); /* NULL is fine */

/* Returns the text of the item that client_receive() returned last, with numbers of any size. Valid until the next. */
const char *client_item_text(const struct client *c, size_t *len);

/* Sets how long to wait for each line of an answer; 0: for ever. */
void client_set_timeout(struct client *c, int seconds);

/* Sends a request. Takes over args (NULL: none). */
enum client_result client_send(struct client *c, const char *command, json_t *args, struct error *why);

/* Reads one line of the answer. Sets either *item (more lines follow) or *answer (the last line); both are the
 * caller's, and NULL if not set. */
enum client_result client_receive(struct client *c, json_t **item, json_t **answer, struct error *why);

/* Sends a request and reads its answer, for commands without items. *answer is the caller's. */
enum client_result client_ask(struct client *c, const char *command, json_t *args, json_t **answer,
                              struct error *why);

#endif
