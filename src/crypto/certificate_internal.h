/*
 * What tls_handshake.c sees of a certificate: libcrypto's objects. Only for files of this folder.
 */
#pragma once

#include "crypto/certificate.h"
#include "crypto/openssl.h"

struct cn_certificate {
    cn_mem *mem;
    const cn_openssl *ssl;
    cn_ssl_key *key;
    cn_ssl_x509 *x509; /* NULL until signed */
};
