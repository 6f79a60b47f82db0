/* tree_make.h: nodes of a Merkle search tree, as many and as large as a commit of the real network brings along.
 *
 * Each node is one as the repository specification has it (sorted keys, shared prefixes left out, links to
 * subtrees), each but the last links to the next, and the last one holds the commit's own records. What is made up
 * is the rest of the repository: keys do not lie on the layers that their hashes would put them on, so a check by
 * inversion (atproto.com/specs/repository "Sync 1.1") finds these commits incomplete or wrong. */
#ifndef FIREHOSE_REPLAY_TREE_MAKE_H
#define FIREHOSE_REPLAY_TREE_MAKE_H

#include "car_write.h"
#include "repo_model.h"

struct tree_record {
    char path[PATH_TEXT_BYTES];
    uint8_t cid[CID_BYTES];
};

/* Adds the nodes to the CAR; `root` is the CID of the first. */
void tree_make(struct repo_model *m, const struct tree_record *records, size_t count, struct car_writer *car,
               uint8_t root[CID_BYTES]);

#endif
