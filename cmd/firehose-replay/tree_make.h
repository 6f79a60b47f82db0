/* tree_make.h: makes nodes of a Merkle search tree, as many and as large as in a commit of the real network.
 *
 * Each node follows atproto.com/specs/repository (sorted keys, shared prefixes left out, links to subtrees). Each links
 * to the next, and the last one has the commit's own records. The rest of the repository is made up: keys do not lie on
 * the layers that their hashes demand, so a check of the tree by inversion (Sync 1.1) finds these commits incomplete or
 * wrong. */
#ifndef FIREHOSE_REPLAY_TREE_MAKE_H
#define FIREHOSE_REPLAY_TREE_MAKE_H

#include "car_write.h"
#include "repo_model.h"

struct tree_record {
    char path[PATH_TEXT_BYTES];
    uint8_t cid[CID_BYTES];
};

/* Adds the nodes to the CAR. `root` gets the CID of the first node. */
void tree_make(struct repo_model *m, const struct tree_record *records, size_t count, struct car_writer *car,
               uint8_t root[CID_BYTES]);

#endif
