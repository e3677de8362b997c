/* The two content-defined chunkers; windows are already cut to max_bytes. */
#pragma once

#include "unixfs/chunk.h"

/* Fill the tables of fingerprints. */
void cn_chunk_rabin_init(cn_chunker *c);
size_t cn_chunk_rabin(const cn_chunker *c, cn_slice window);
size_t cn_chunk_buzhash(const cn_chunker *c, cn_slice window);
