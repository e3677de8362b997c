/*
 * MurmurHash3 (x64, 128 bits), first half. Not a cryptographic hash: only for the buckets of
 * sharded directories, whose form on the wire fixes it. spec: UnixFS 'HAMT', multicodec
 * murmur3-x64-64
 */
#pragma once

#include "base/slice.h"

/* The first 64 bits of the hash of `in` with seed 0; level i of a HAMT reads it from its top. */
uint64_t cn_murmur3_x64_64(cn_slice in);
