/*
 * SHA-1 and SHA-512, by libcrypto: rarely used, opened on first use.
 * spec: FIPS 180-4
 */
#pragma once

#include "base/slice.h"

/* Write 20 and 64 bytes. Errors: UNSUPPORTED (libcrypto is not there). */
CN_MUST_USE cn_err cn_sha1(cn_slice in, uint8_t ret[20]);
CN_MUST_USE cn_err cn_sha512(cn_slice in, uint8_t ret[64]);
