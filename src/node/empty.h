/*
 * The empty directory: pinned in every new repo, and the root of the file tree before there is one.
 */
#pragma once

#include "multiformats/cid.h"

/* Its block (static). */
cn_slice cn_empty_dir_block(void);
/* QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn. */
CN_MUST_USE cn_err cn_empty_dir_cid(cn_cid *ret);
