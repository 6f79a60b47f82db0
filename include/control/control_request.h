/* control_request.h: one line of the control protocol (doc/control-protocol.md) as a request. Pure: text in, struct
 * out. It does not know who sent the line, nor what becomes of it.
 *
 *   {"v":1,"id":7,"command":"config","args":{"key":"relay"}}         v, id and args may be left out */
#ifndef FIREHOSED_CONTROL_CONTROL_REQUEST_H
#define FIREHOSED_CONTROL_CONTROL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { CONTROL_VERSION = 1, CONTROL_REQUEST_MAX_BYTES = 64 * 1024, CONTROL_ID_MAX_BYTES = 128 };

/* Why a request is refused: the "code" of the answer, for programs; the text beside it is for people. */
enum control_code {
    CONTROL_BAD_REQUEST,     /* the line is no request */
    CONTROL_BAD_VERSION,     /* firehosed does not speak that version of the protocol */
    CONTROL_UNKNOWN_COMMAND, /* no such command */
    CONTROL_BAD_ARGUMENT,    /* missing, unknown, or of a wrong type or range */
    CONTROL_NOT_NOW,         /* the state does not allow it; another time it would */
    CONTROL_TOO_MANY,        /* too many at once */
    CONTROL_NOT_FOUND,       /* the thing that is asked for does not exist */
    CONTROL_UNAVAILABLE,     /* Redis does not answer */
    CONTROL_FAILED,          /* it was tried, and failed */
    CONTROL_CODES,
};
const char *control_code_name(enum control_code code); /* "bad_request", … */

struct control_request {
    json_t *json;        /* all of it; owned */
    const char *command; /* inside it */
    json_t *id;          /* inside it: a text or a whole number; NULL: none */
    json_t *args;        /* inside it: an object; NULL: none */
};

/* Reads one line without its end. Returns false if it is wrong: *code and *why; if the line has an id, `out` holds it,
 * so that the answer can carry it. control_request_fini() is needed in either case. */
bool control_request_parse(const char *line, size_t len, struct control_request *out, enum control_code *code,
                           struct error *why);
void control_request_fini(struct control_request *r);

#endif
