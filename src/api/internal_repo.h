/*
 * An open repo behind the public API.
 */
#pragma once

#include "api/internal.h"
#include "cairn/repo.h"
#include "node/node.h"

struct cairn_repo {
    cn_rt *rt;
    cn_node *node;
    atomic_uint readers; /* open */
};

/* Resolve `path` to a CID with nothing left inside its block. */
CN_MUST_USE cn_err
cn_api_resolve(cairn_repo *r, const char *path, const cn_api_wait *wait, cn_cid *ret, cn_why *why);
