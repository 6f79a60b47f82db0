/* counter.h: what workers count, by name. */
#ifndef FIREHOSED_BASE_COUNTER_H
#define FIREHOSED_BASE_COUNTER_H

enum counter {
    COUNTER_WRITTEN,     /* events that are in the stream */
    COUNTER_FILTERED,    /* frames that are not delivered by configuration or kind */
    COUNTER_QUARANTINED, /* frames that went to the dead letters instead of the stream */
    COUNTER_DUPLICATE,   /* frames that were in the stream already */
    COUNTER_OP_NO_CID,   /* ops left out, by reason; in the order of enum op_drop */
    COUNTER_OP_NO_BLOCK,
    COUNTER_OP_HASH_MISMATCH,
    COUNTER_OP_NO_TYPE,
    COUNTER_OP_BAD_RECORD,
    COUNTER_OP_FILTERED, /* ops left out by the collection filter */
    COUNTER_BATCHES,     /* transactions that were executed */
    COUNTER_BYTES_WRITTEN, /* of RESP, sent to Redis */
    COUNTER_RETRIES,     /* transactions that had to be sent again */
    COUNTER_REDIS_CONNECTS,
    COUNTERS,
};

/* "written", "filtered", … as they stand in status and metrics. */
const char *counter_name(enum counter c);

#endif
