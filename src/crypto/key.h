/*
 * Asymmetric keys as libp2p has them: generate, read, write, sign, verify. The bytes here are those
 * inside libp2p's key messages; the messages themselves are multiformats/key.h.
 *
 *            private                          public              signature
 *   RSA      PKCS#1 DER                       PKIX DER            PKCS#1 v1.5 over SHA-256
 *   Ed25519  32 bytes seed, 32 bytes public   32 bytes            64 bytes
 *   ECDSA    SEC 1 DER (P-256, P-384, P-521)  PKIX DER            ECDSA over SHA-256, DER
 *   secp256k1  32 bytes                       33 bytes, compressed  the same, s the lower one
 *
 * By libcrypto, opened on first use: where it is missing every function that makes a key gives
 * UNSUPPORTED. A key may be used from several threads at once.
 * spec: libp2p/peer-ids 'Key types'
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

typedef enum cn_key_type {
    CN_KEY_RSA = 0, /* numbers of the wire */
    CN_KEY_ED25519 = 1,
    CN_KEY_SECP256K1 = 2,
    CN_KEY_ECDSA = 3,
} cn_key_type;

enum {
    CN_KEY_RSA_MIN_BITS = 2048,
    CN_KEY_RSA_MAX_BITS = 8192,
    CN_KEY_PRIVATE_MAX_BYTES = 8192, /* longest private form: RSA of 8192 bits has 4.6 KB */
    CN_KEY_SIGNATURE_MAX_BYTES = 1024,
};

/* A private key with its public half, or a public key alone. */
typedef struct cn_key cn_key;

/*
 * A new private key; `rsa_bits` counts for RSA only (2048 to 8192; cost up to seconds), ECDSA is
 * P-256. Errors: USAGE (bits), UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_key_generate(cn_mem *mem, cn_key_type type, unsigned rsa_bits, cn_key **ret, cn_why *why);

/*
 * Read a private or a public key. Ed25519 is also read in the old form that repeats the public
 * half. Errors: MALFORMED (also where the halves do not belong together, or RSA has too few or too
 * many bits), UNSUPPORTED (type, or no libcrypto), NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_key_read_private(cn_mem *mem, cn_key_type type, cn_slice bytes, cn_key **ret, cn_why *why);
CN_MUST_USE cn_err
cn_key_read_public(cn_mem *mem, cn_key_type type, cn_slice bytes, cn_key **ret, cn_why *why);

/* Give back, secrets wiped. Accepts NULL. */
void cn_key_free(cn_key *key);

cn_key_type cn_key_type_of(const cn_key *key);
bool cn_key_is_private(const cn_key *key);

/*
 * Append the private form; needs a private key (else USAGE). Room is made before anything is
 * written, so that growing leaves no copy behind; the caller wipes (cn_key_wipe).
 */
CN_MUST_USE cn_err cn_key_put_private(const cn_key *key, cn_buf *out);
/* Append the public form. */
CN_MUST_USE cn_err cn_key_put_public(const cn_key *key, cn_buf *out);

/* Append a signature of `message`; needs a private key (else USAGE). */
CN_MUST_USE cn_err cn_key_sign(const cn_key *key, cn_slice message, cn_buf *out);
/* Is `signature` one of `message` by this key? Errors: NO_MEMORY only; a bad form is just false. */
CN_MUST_USE cn_err
cn_key_verify(const cn_key *key, cn_slice message, cn_slice signature, bool *ret_good);

/* Wipe and give back a buffer that held a secret. Accepts a zeroed one. */
void cn_key_wipe(cn_buf *secret);
