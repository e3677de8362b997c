/*
 * Shared by cid.c and cid_text.c.
 */
#pragma once

#include "multiformats/cid.h"

/* Read one CID from the front of `in`, which moves past it; `why` gets Kubo's sentence. */
cn_err cn_cid_take(cn_cur *in, cn_cid *ret, cn_why *why);
