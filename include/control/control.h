/* control.h: the socket that firehosectl talks to. One JSON object a line in, one a line out, several on one
 * connection (doc/control-protocol.md):
 *
 *   {"v":1,"id":7,"command":"status"}  ->  {"v":1,"id":7,"ok":true,"result":{…}}
 *                                          {"v":1,"id":7,"ok":false,"code":"not_now","error":"…"}
 *
 * A request becomes a call. Its handler ends it before it returns, or keeps it and ends it later (when Redis has
 * answered, when a worker is replaced): by control_answer() or control_refuse(), exactly once; the call is gone with
 * that. Before that it may send any number of items ({"v":1,"id":7,"item":{…}}). */
#ifndef FIREHOSED_CONTROL_CONTROL_H
#define FIREHOSED_CONTROL_CONTROL_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"
#include "control/control_request.h"

struct control;
struct control_call;

/* Takes the call over. */
typedef void control_handler(void *arg, struct control_call *call);

/* Listens on a unix socket, mode 0660, and replaces a stale one. Returns NULL if that fails: *why. */
struct control *control_new(struct event_base *base, const char *path, control_handler *handler, void *arg,
                            struct error *why);

/* Stops listening and removes the socket. Answers are still sent, as far as clients take them. Calls that were kept are
 * gone too: nobody may end them any more. */
void control_free(struct control *c);

/* ---- a call ---- */

const char *control_call_command(const struct control_call *call);

/* Returns the argument of that name, which stays the call's; NULL if it is not given. */
const json_t *control_call_argument(const struct control_call *call, const char *name);
const json_t *control_call_arguments(const struct control_call *call); /* all; NULL if there are none */

/* Gets pid, user and group of the client, as the kernel knows them. Returns false if it is gone. */
bool control_call_peer(const struct control_call *call, struct ucred *peer);

/* Ends the call with a result, which is taken over; NULL stands for "out of memory". */
void control_answer(struct control_call *call, json_t *result);

/* Ends the call with the reason why it failed. */
void control_refuse(struct control_call *call, enum control_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sends an item before the answer; the item is taken over. Returns false if it was left out, as the client does not
 * read, or is gone. */
bool control_item(struct control_call *call, json_t *item);

/* control_item() with one more member of an item that is not empty: JSON of a worker, passed on byte by byte, because
 * jansson has no integers above 2^63. Returns false also if it is not one value on one line. */
bool control_item_with(struct control_call *call, json_t *item, const char *name, const void *json, size_t len);

/* For calls that are kept for long: `gone` is called when the client is gone. The call must still be ended, at once or
 * later, though nobody will read the answer. A write shows that a client is gone: a handler that waits for long sends
 * an item from time to time. */
void control_when_gone(struct control_call *call, void (*gone)(void *arg, struct control_call *call), void *arg);

#endif
