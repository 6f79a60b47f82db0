#include "config.h"

#include "base/counter.h"

static const char *const names[COUNTERS] = {
    [COUNTER_WRITTEN] = "written",
    [COUNTER_FILTERED] = "filtered",
    [COUNTER_QUARANTINED] = "quarantined",
    [COUNTER_DUPLICATE] = "duplicate",
    [COUNTER_OP_NO_CID] = "ops_no_cid",
    [COUNTER_OP_NO_BLOCK] = "ops_no_block",
    [COUNTER_OP_HASH_MISMATCH] = "ops_hash_mismatch",
    [COUNTER_OP_NO_TYPE] = "ops_no_type",
    [COUNTER_OP_BAD_RECORD] = "ops_bad_record",
    [COUNTER_OP_FILTERED] = "ops_filtered",
    [COUNTER_BATCHES] = "batches",
    [COUNTER_BYTES_WRITTEN] = "bytes_written",
    [COUNTER_RETRIES] = "retries",
    [COUNTER_REDIS_CONNECTS] = "redis_connects",
};

const char *counter_name(enum counter c) { return names[c]; }
