/* serve_options.h: the command line of `serve`. */
#ifndef FIREHOSE_REPLAY_SERVE_OPTIONS_H
#define FIREHOSE_REPLAY_SERVE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "faults.h"
#include "generate.h"
#include "options.h"
#include "sequence.h"

struct serve_options {
    const char *listen;
    const char *cert_file, *key_file; /* NULL: no TLS */
    const char *ready_file;           /* NULL: none */
    const char *stamp_file;           /* NULL: none */
    const char *capture;              /* NULL: generated frames */
    struct generator_options generator;
    uint64_t pool; /* how many frames are generated */
    struct sequence_options sequence;
    bool stamps_now;     /* frames carry the time of their sending */
    double rate;         /* events a second; 0: as fast as the client reads */
    uint64_t backlog;    /* with a rate: events that exist when the production clock starts */
    bool close_after;    /* close the connection after the last event */
    bool fragment;
    bool cursor_from;    /* a cursor N means seq >= N, not seq > N */
    bool future_error;   /* a cursor from the future gets FutureCursor, as from a PDS */
    uint64_t oldest_seq;
    uint64_t slow_limit; /* events; 0: no limit */
    int send_buffer;     /* SO_SNDBUF; 0: the system's */
    struct faults faults;
};

/* Reads the command line. Ends the program if it is wrong. */
void serve_options_parse(int argc, char **argv, struct serve_options *o);

#define serve_say(...) say(&serve_command, __VA_ARGS__)

#endif
