/* client.h: one connection to Redis or Valkey, driven by its owner's loop.
 *
 * The redis room: a connection, its login, its commands and replies. It rests on the net room's stream, TLS and URL
 * (there is one TLS and one URL parser in this program), and knows nothing of events, frames or processes.
 * RESP is read and formatted by hiredis, the bytes travel over our own stream: Debian's hiredis speaks no TLS.
 *
 *   CLOSED ──start──▶ HANDSHAKE (TLS) ──▶ LOGIN (AUTH, SELECT, CLIENT SETNAME, is its log sound?) ──▶ READY
 *      ▲──────────────────── any failure, or stop ──────────────────────────────────────────────────────┘
 *
 * The owner polls redis_client_fd() for redis_client_wants(), calls redis_client_progress() when it is ready, and
 * takes replies with redis_client_reply() until there is none. Nothing here blocks or waits. */
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

struct redis_client *redis_client_new(void); /* NULL: no memory */
void redis_client_free(struct redis_client *c);

/* Takes a connected descriptor over and queues the login. The address stays the caller's, as long as the connection is open. `name` is shown by CLIENT LIST. `run_key` is
 * the hash with the field "run": in which run of the server its append-only log was last known to be sound. In another
 * one it is asked to write that log anew, unless it has (info.h), and the login fails until that is done. NULL: the log
 * is not looked at. */
bool redis_client_start(struct redis_client *c, int fd, const struct redis_address *address, const char *name,
                        const char *run_key, struct error *why);

/* Closes the connection; what was queued or unanswered is forgotten. */
void redis_client_stop(struct redis_client *c);

bool redis_client_is_open(const struct redis_client *c);
bool redis_client_is_ready(const struct redis_client *c);
int redis_client_fd(const struct redis_client *c);

/* What the server calls this run of itself, where its log is known to be sound; "": that is not known. Once it is
 * ready. */
const char *redis_client_sound_run(const struct redis_client *c);

/* POLLIN, and POLLOUT while there is something to write. */
short redis_client_wants(const struct redis_client *c);

/* Queues one command, formatted as by hiredis: "%s" for a text, "%b" for bytes and their length. */
void redis_client_command(struct redis_client *c, const char *format, ...);
void redis_client_command_list(struct redis_client *c, const char *format, va_list args);

/* Queues a copy of formatted commands. */
void redis_client_append(struct redis_client *c, const struct buffer *resp);

/* Queues bytes of RESP that the caller keeps unchanged until redis_client_has_sent() or redis_client_stop(). */
void redis_client_send(struct redis_client *c, const void *bytes, size_t len);
bool redis_client_has_sent(const struct redis_client *c);

/* Moves bytes both ways as far as they go without waiting. False: the connection is lost or the login was refused
 * (*why: "AUTH: WRONGPASS …", "closed by the server", or what is waited for); the client is stopped. */
bool redis_client_progress(struct redis_client *c, struct error *why);

/* Takes the next reply to the owner's commands, in order: *reply is NULL when there is none yet, else the caller
 * frees it with freeReplyObject(). False: what came is not RESP; the client is stopped. */
bool redis_client_reply(struct redis_client *c, redisReply **reply, struct error *why);

/* Steps over replies that say nothing new, without an object made of each (see replies.h): at most max of "+<status>";
 * an array of n results with no error among them. */
size_t redis_client_skip_status(struct redis_client *c, const char *status, size_t max);
bool redis_client_skip_array(struct redis_client *c, size_t n);

/* Returns the text of the first error in an answer, which may be EXEC's array; NULL: there is none. */
const char *redis_first_error(const redisReply *reply);

/* What an operator may not read out of an error at once: " (…)", or "". */
const char *redis_error_hint(const char *error);

#endif
