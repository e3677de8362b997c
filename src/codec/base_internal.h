/*
 * Shared by the files of base_n only: one reader and writer per family.
 */
#pragma once

#include "codec/base_n.h"

typedef struct cn_alphabet {
    const char *digits;
    const char *name;    /* as in Go's sentences: "base32" */
    uint8_t bits;        /* bits a digit; 0 for number bases */
    uint8_t pad_group;   /* digits a group where '=' fills the last one, else 0 */
    bool fold;           /* reads both cases */
    bool skips_newlines; /* passes over CR and LF */
} cn_alphabet;

/* The value of each possible byte as a digit, 0xff for none. */
void cn_alphabet_reverse(const cn_alphabet *a, uint8_t ret[256]);

cn_err cn_base_bits_encode(const cn_alphabet *a, cn_slice in, cn_buf *out);
cn_err cn_base_bits_decode(const cn_alphabet *a, cn_slice text, cn_buf *out, cn_why *why);
cn_err cn_base_radix_encode(const cn_alphabet *a, cn_slice in, cn_buf *out);
cn_err cn_base_radix_decode(const cn_alphabet *a, cn_slice text, cn_buf *out, cn_why *why);
cn_err cn_base45_encode(cn_slice in, cn_buf *out);
cn_err cn_base45_decode(cn_slice text, cn_buf *out, cn_why *why);
cn_err cn_base256_encode(cn_slice in, cn_buf *out);
cn_err cn_base256_decode(cn_slice text, cn_buf *out, cn_why *why);
