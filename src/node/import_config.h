/*
 * The Import section of the config as import options: what `add` does where no flag says otherwise.
 */
#pragma once

#include "node/config.h"
#include "unixfs/import.h"

/*
 * Fill `ret` with Kubo's defaults and what the config's Import section says. Errors: MALFORMED,
 * USAGE (a value out of range, an unknown hash, chunker, layout or estimation; the key is named).
 */
CN_MUST_USE cn_err cn_config_import(const cn_config *c, cn_import_options *ret, cn_why *why);

/* A hash function by name, any case. Errors: USAGE, with Kubo's sentence. */
CN_MUST_USE cn_err cn_config_hash(cn_slice name, uint64_t *ret_code, cn_why *why);
