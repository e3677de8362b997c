/*
 * The table of multicodec.c, made by tools/multicodec-table.
 */
#pragma once

#include "multiformats/multicodec.h"

extern const cn_multicodec cn_multicodec_table[];
extern const size_t cn_multicodec_table_len;
