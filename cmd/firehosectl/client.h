/* client.h: the daemon's control socket from the other side (doc/control-protocol.md). Blocking, with time-outs. */
#ifndef FIREHOSED_CMD_CLIENT_H
#define FIREHOSED_CMD_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

enum client_result {
    CLIENT_OK,
    CLIENT_REFUSED, /* the daemon said no: *why has its reason */
    CLIENT_ABSENT,  /* nobody is there, or it may not be talked to */
    CLIENT_SILENT,  /* it is there, but does not answer, or it went away meanwhile */
};

enum { CLIENT_TIMEOUT_S = 5 };

struct client;

/* Connects. NULL: *result and *why say why not, with what to do about it. */
struct client *client_open(const char *path, enum client_result *result, struct error *why);
void client_close(struct client *c);

/* How long to wait for each answer; 0: for ever. */
void client_set_timeout(struct client *c, int seconds);

/* Sends a request; args (NULL: none) is taken over. */
enum client_result client_send(struct client *c, const char *command, json_t *args, struct error *why);

/* Reads one line of the answer: *item (an item on the way) or *answer (the end) is set, the caller's. Where it is a
 * refusal *why has the reason; where the lines cannot be read, CLIENT_SILENT. */
enum client_result client_receive(struct client *c, json_t **item, json_t **answer, struct error *why);

/* Both, for commands without items: *answer is the result. */
enum client_result client_ask(struct client *c, const char *command, json_t *args, json_t **answer,
                              struct error *why);

#endif
