/* client.h: one connection to Redis or Valkey, driven by its owner's loop.
 *
 * The redis room has a connection, its login, its commands and replies. It uses stream, TLS and URL of the net room,
 * and knows nothing of events, frames or processes. hiredis reads and formats RESP; the bytes travel over our own
 * stream, as Debian's hiredis speaks no TLS.
 *
 *   CLOSED ──start──▶ HANDSHAKE (TLS) ──▶ LOGIN (AUTH, SELECT, CLIENT SETNAME, is its log sound?) ──▶ READY
 *      ▲──────────────────── any failure, or stop ──────────────────────────────────────────────────────┘
 *
 * The owner polls redis_client_fd() for redis_client_wants(), calls redis_client_progress() when it is ready, and
 * takes replies with redis_client_reply() until there is none. No function blocks. */
#ifndef FIREHOSED_REDIS_CLIENT_H
#define FIREHOSED_REDIS_CLIENT_H

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "net/stream.h"
#include "redis/address.h"

struct redis_client;

struct redis_client *redis_client_new(void); /* returns NULL if memory is short */
void redis_client_free(struct redis_client *c);

/* Takes a connected descriptor over and queues the login. The address stays the caller's, as long as the connection is
 * open. `name` is shown by CLIENT LIST. `run_key` is the hash with the field "run", which names the run of the server
 * whose append-only log was known to be sound. Another run is asked to write its log anew, unless it has (info.h), and
 * the login fails until that is done. If run_key is NULL, the log is not examined. Returns false, with *why, if the
 * connection could not be set up; the descriptor is closed then. */
bool redis_client_start(struct redis_client *c, int fd, const struct redis_address *address, const char *name,
                        const char *run_key, struct error *why);

/* Closes the connection, and forgets commands that are queued or unanswered. */
void redis_client_stop(struct redis_client *c);

bool redis_client_is_open(const struct redis_client *c);
bool redis_client_is_ready(const struct redis_client *c);
int redis_client_fd(const struct redis_client *c);

/* Returns the server's name of its present run, if its log is known to be sound, else "". Valid once the client is
 * ready. */
const char *redis_client_sound_run(const struct redis_client *c);

/* Returns POLLIN, with POLLOUT while there is something to write. */
short redis_client_wants(const struct redis_client *c);

/* Queues one command, formatted as by hiredis: "%s" for a text, "%b" for bytes and their length. */
void redis_client_command(struct redis_client *c, const char *format, ...);
void redis_client_command_list(struct redis_client *c, const char *format, va_list args);

/* Queues a copy of formatted commands. */
void redis_client_append(struct redis_client *c, const struct buffer *resp);

/* Queues bytes of RESP that the caller keeps unchanged until redis_client_has_sent() or redis_client_stop(). */
void redis_client_send(struct redis_client *c, const void *bytes, size_t len);
bool redis_client_has_sent(const struct redis_client *c);

/* Moves bytes both ways as far as they go without waiting. Returns false if the connection is lost, or the login was
 * refused (*why: "AUTH: WRONGPASS …", "closed by the server"), or must wait; the client is stopped then. */
bool redis_client_progress(struct redis_client *c, struct error *why);

/* Takes the next reply to the owner's commands, in order. *reply is NULL if there is none yet, else the caller frees it
 * with freeReplyObject(). Returns false, with *why, if the bytes are not RESP; the client is stopped then. */
bool redis_client_reply(struct redis_client *c, redisReply **reply, struct error *why);

/* Skip replies without making an object of each, see replies.h: at most max of "+<status>"; one array of n results with
 * no error among them. */
size_t redis_client_skip_status(struct redis_client *c, const char *status, size_t max);
bool redis_client_skip_array(struct redis_client *c, size_t n);

/* Returns the text if the reply is an error, or that of the first error among the results of EXEC, else NULL. */
const char *redis_first_error(const redisReply *reply);

/* Returns whether this is an entry of XRANGE: its id, and an array of fields and values. */
bool redis_is_entry(const redisReply *reply);

/* Returns the value of the first field of this name, a string, or NULL. */
const redisReply *redis_entry_field(const redisReply *entry, const char *name);

/* Returns true if the rights of this user do not reach for the command or the key. */
bool redis_is_forbidden(const char *error);

/* Returns true if this server refuses what another one behind the same name may do: it is read-only, or not ready. */
bool redis_is_wrong_server(const char *error);

/* Returns an explanation of an error for the operator: " (…)", or "". */
const char *redis_error_hint(const char *error);

#endif
