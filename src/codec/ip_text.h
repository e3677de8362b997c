/*
 * IP addresses as text, both ways, without asking the system.
 * spec: RFC 4291 2.2, RFC 5952
 */
#pragma once

#include "base/buf.h"

enum { CN_IP4_BYTES = 4, CN_IP6_BYTES = 16 };

/* "192.0.2.1": four numbers without leading zeros. Errors: MALFORMED. */
CN_MUST_USE cn_err cn_ip4_parse(cn_slice text, uint8_t ret[CN_IP4_BYTES]);
/* "2001:db8::1", "::ffff:192.0.2.1"; no zone. Errors: MALFORMED. */
CN_MUST_USE cn_err cn_ip6_parse(cn_slice text, uint8_t ret[CN_IP6_BYTES]);

/* Append the text. IPv6 in the form of RFC 5952. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_ip4_encode_text(const uint8_t ip[CN_IP4_BYTES], cn_buf *out);
CN_MUST_USE cn_err cn_ip6_encode_text(const uint8_t ip[CN_IP6_BYTES], cn_buf *out);
