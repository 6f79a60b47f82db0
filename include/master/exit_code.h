/* exit_code.h: how the daemon ends, beside 0 and 1. */
#ifndef FIREHOSED_MASTER_EXIT_CODE_H
#define FIREHOSED_MASTER_EXIT_CODE_H

enum {
    MASTER_EXIT_TAKEN_OVER = 76, /* another firehosed has taken the keys over: do not restart this one by itself */
    MASTER_EXIT_CONFIG = 78,     /* the configuration is wrong, as in sysexits(3) */
    MASTER_EXIT_SEQUENCE = 79,   /* the relay's sequence is another one, and on_sequence_reset = stop */
};

#endif
