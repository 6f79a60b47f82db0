/* usage.h: what Redis says of itself, of our streams, and of what endangers them. It is for people: nothing is decided
 * by it. */
#ifndef FIREHOSED_STORE_USAGE_H
#define FIREHOSED_STORE_USAGE_H

#include "session.h"
#include "store/store.h"

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
