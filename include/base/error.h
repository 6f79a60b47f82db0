/* error.h: the reason of a failure, in one line for a person.
 *
 * The base room: errors, log, buffers, clock, hashes and configuration, which every other room uses. It must not know
 * the AT Protocol, Redis or the processes.
 *
 * A function that can fail takes a `struct error *` and fills it. Its callers put context in front, so that the log
 * gets "relay bsky.network: TLS handshake: certificate has expired". The caller that decides what to do logs it,
 * once. */
#ifndef FIREHOSED_BASE_ERROR_H
#define FIREHOSED_BASE_ERROR_H

enum { ERROR_TEXT_BYTES = 512 };

struct error {
    char text[ERROR_TEXT_BYTES];
};

/* Several errors, for who wants to mend all of them at once. Zeroed, it is empty. */
enum { ERROR_LIST_MAX = 20 };
struct error_list {
    unsigned count; /* with those that had no room */
    struct error errors[ERROR_LIST_MAX];
};

/* Adds an error. If the list is full, it only counts it. */
void error_list_add(struct error_list *list, const struct error *e);

/* Makes one error of the list: the first, and how many more there are. The list must not be empty. */
void error_list_first(const struct error_list *list, struct error *e);

/* Replaces the text. Cuts it if it is too long, and cleans it, because it may quote a peer (base/text.h). */
void error_set(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the text. */
void error_context(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
