/*
 * DER of an ECDSA signature: 30 len, 02 len r, 02 len s; numbers are big-endian, without needless
 * zeros in front, and with one where the top bit is set. All lengths are below 128.
 */
#include "crypto/secp256k1.h"

#include "base/mem.h"

enum { NUMBER_BYTES = 32, HEAD = 2, TAG_SEQUENCE = 0x30, TAG_INTEGER = 0x02 };

/* The order of the group, and its half rounded down. */
static const uint8_t order[NUMBER_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
static const uint8_t half[NUMBER_BYTES] = {
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

/* The number at `at`: where it begins and how long it is; 0 if it is none. */
static size_t number_at(const uint8_t *der, size_t len, size_t at)
{
    if (at + HEAD > len || der[at] != TAG_INTEGER) {
        return 0;
    }
    size_t bytes = der[at + 1];
    return bytes == 0 || bytes > NUMBER_BYTES + 1 || at + HEAD + bytes > len ? 0 : bytes;
}

bool cn_secp256k1_lower(uint8_t *der, size_t *len)
{
    uint8_t s[NUMBER_BYTES] = {0};
    if (*len < HEAD || *len > CN_SECP256K1_DER_MAX_BYTES || der[0] != TAG_SEQUENCE ||
        der[1] != *len - HEAD) {
        return false;
    }
    size_t r_bytes = number_at(der, *len, HEAD);
    size_t at = HEAD + HEAD + r_bytes;
    size_t s_bytes = r_bytes == 0 ? 0 : number_at(der, *len, at);
    if (s_bytes == 0 || at + HEAD + s_bytes != *len) {
        return false;
    }
    size_t extra = s_bytes > NUMBER_BYTES ? 1 : 0; /* the zero in front of a set top bit */
    size_t given = s_bytes - extra;
    cn_copy(s + NUMBER_BYTES - given, der + at + HEAD + extra, given);
    if (cn_slice_cmp(cn_slice_of(s, sizeof s), cn_slice_of(half, sizeof half)) <= 0) {
        return true;
    }
    unsigned borrow = 0;
    for (size_t i = NUMBER_BYTES; i-- > 0;) {
        unsigned digit = 0x100u + order[i] - s[i] - borrow;
        borrow = digit < 0x100u ? 1 : 0;
        s[i] = (uint8_t)digit;
    }
    size_t skip = 0;
    while (skip < NUMBER_BYTES - 1 && s[skip] == 0 && s[skip + 1] < 0x80) {
        skip++;
    }
    size_t bytes = NUMBER_BYTES - skip;
    cn_copy(der + at + HEAD, s + skip, bytes);
    der[at + 1] = (uint8_t)bytes;
    *len = at + HEAD + bytes;
    der[1] = (uint8_t)(*len - HEAD);
    return true;
}
