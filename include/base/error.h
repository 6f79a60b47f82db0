/* error.h: why something failed, in one line for a person.
 *
 * The base room: what every other room stands on (errors, log, buffers, clock, hash, configuration,
 * counters). It knows nothing of the AT Protocol, of Redis or of processes.
 *
 * A function that can fail for a reason worth reading takes a `struct error *` and fills it; callers add
 * context in front on the way up, so that the line that is finally logged reads
 * "relay bsky.network: TLS handshake: certificate has expired". Who can decide, reports, once. */
#ifndef FIREHOSED_BASE_ERROR_H
#define FIREHOSED_BASE_ERROR_H

enum { ERROR_TEXT_BYTES = 512 };

struct error {
    char text[ERROR_TEXT_BYTES];
};

/* Replaces the text; too long a text is cut. Whatever is quoted in it, the text is valid UTF-8: it goes into JSON. */
void error_set(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the text. */
void error_context(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
