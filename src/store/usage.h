/* usage.h: asks Redis about itself, about our streams, and about what endangers them. */
#ifndef FIREHOSED_USAGE_H
#define FIREHOSED_USAGE_H

#include "session.h"
#include "store/usage.h"

struct usage {
    struct session *session;
    struct store_usage now;
    bool may_not_info, may_not_xlen; /* on this connection */
    char told[STORE_CONCERN_BYTES];  /* the concern that the log has; "": none */
    struct log_throttle evicting;
};

/* To be called at first, too. */
void usage_on_lost(struct usage *u);
void usage_ask(struct usage *u);

#endif
