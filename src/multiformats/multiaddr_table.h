/*
 * The protocols of multiaddrs: code, size, name, and the shape of the value. Shared by the files of
 * multiaddr only.
 */
#pragma once

#include "multiformats/multiaddr.h"

typedef enum ma_shape {
    MA_NOTHING, /* no value */
    MA_IP4_VALUE,
    MA_IP6_VALUE,
    MA_PORT,
    MA_BITS,   /* one byte as a number */
    MA_NUMBER, /* eight bytes, big-endian */
    MA_PEER,
    MA_NAME,     /* text without a slash, not empty */
    MA_ESCAPED,  /* text with percent escapes */
    MA_REST,     /* a path: the rest of the address */
    MA_CERTHASH, /* a multihash in multibase */
    MA_ONION,
    MA_ONION3,
    MA_GARLIC32,
    MA_GARLIC64,
} ma_shape;

enum { MA_VARIABLE = -1 };

typedef struct ma_protocol {
    uint32_t code;
    int bytes; /* of the value; MA_VARIABLE: a length stands before it */
    ma_shape shape;
    const char *name;
} ma_protocol;

/* NULL if unknown. */
const ma_protocol *cn_ma_by_code(uint64_t code);
const ma_protocol *cn_ma_by_name(cn_slice name);

/* Is this a value of that protocol? Errors: MALFORMED. */
CN_MUST_USE cn_err cn_ma_check_value(const ma_protocol *p, cn_slice value);
