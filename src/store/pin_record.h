/*
 * What the pin file keeps of a pin: a version, the length of the name, the name.
 */
#pragma once

#include "base/slice.h"

enum { CN_PIN_RECORD_MAX_BYTES = 2 + 255 };

/* `name` has at most 255 bytes. Returns the record's length. */
size_t cn_pin_record_encode(cn_slice name, uint8_t out[CN_PIN_RECORD_MAX_BYTES]);
/* The name is borrowed. Errors: TRUNCATED, MALFORMED, UNSUPPORTED (a newer version). */
CN_MUST_USE cn_err cn_pin_record_decode(cn_slice in, cn_slice *ret_name);
