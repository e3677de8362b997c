#pragma once
#include "base/slice.h"
/* First half of MurmurHash3 x64 128, seed 0. */
uint64_t cn_murmur3_x64_64(cn_slice data);
